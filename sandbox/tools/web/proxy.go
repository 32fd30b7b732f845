package main

import (
	"bufio"
	"encoding/binary"
	"net"
	"strconv"
	"sync"
)

// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.2
const signature = "\r\n\r\n\x00\r\nQUIT\n"

// proxyListener looks at how each connection begins, when it is first read.
type proxyListener struct{ net.Listener }

func (l proxyListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &announced{Conn: connection, reader: bufio.NewReader(connection)}, nil
}

// announced is a connection that may begin with a PROXY header.
type announced struct {
	net.Conn
	reader *bufio.Reader
	once   sync.Once
	mutex  sync.Mutex
	from   string
}

func (c *announced) Read(into []byte) (int, error) {
	c.once.Do(c.header)
	return c.reader.Read(into)
}

func (c *announced) source() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.from
}

// header takes a PROXY header off, if there is one; what is no header is left to be read.
func (c *announced) header() {
	start, err := c.reader.Peek(1)
	if err != nil || start[0] != signature[0] {
		return
	}
	head, err := c.reader.Peek(16)
	if err != nil || string(head[:12]) != signature {
		return
	}
	length := int(binary.BigEndian.Uint16(head[14:16]))
	whole, err := c.reader.Peek(16 + length)
	if err != nil {
		return
	}
	const tcp4 = 0x11
	if head[13] == tcp4 && length >= 12 {
		address, port := net.IP(whole[16:20]).String(), binary.BigEndian.Uint16(whole[24:26])
		c.mutex.Lock()
		c.from = net.JoinHostPort(address, strconv.Itoa(int(port)))
		c.mutex.Unlock()
	}
	c.reader.Discard(16 + length)
}
