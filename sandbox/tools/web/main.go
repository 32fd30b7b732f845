// Command web is the server in pods whose image is a web server's: it says which pod it is and whom it saw.
//
// It listens on the ports that it is given as arguments. On SIGTERM it takes no new connection, answers what it was
// asked, and ends. A connection that begins with a PROXY protocol header (version 2) is the one that the header tells of.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const graceful = time.Hour // whoever sent SIGTERM sends SIGKILL when the pod's grace period is over

type seen struct {
	Pod         string            `json:"pod"`
	Node        string            `json:"node"`
	Source      string            `json:"source"`
	Destination string            `json:"destination"`
	Proxied     string            `json:"proxied,omitempty"` // the source that a PROXY header named
	Method      string            `json:"method"`
	Host        string            `json:"host"`
	Path        string            `json:"path"`
	Headers     map[string]string `json:"headers"`
}

type connectionKey struct{}

func answer(writer http.ResponseWriter, request *http.Request) {
	connection := request.Context().Value(connectionKey{}).(net.Conn)
	if pause, err := strconv.Atoi(request.URL.Query().Get("sleep")); err == nil {
		time.Sleep(time.Duration(pause) * time.Millisecond)
	}
	told := seen{
		Pod:         os.Getenv("POD_NAME"),
		Node:        os.Getenv("NODE_NAME"),
		Source:      connection.RemoteAddr().String(),
		Destination: connection.LocalAddr().String(),
		Method:      request.Method,
		Host:        request.Host,
		Path:        request.URL.RequestURI(),
		Headers:     map[string]string{},
	}
	if proxied, is := connection.(*announced); is {
		told.Proxied = proxied.source()
	}
	for name, values := range request.Header {
		told.Headers[name] = values[0]
	}
	writer.Header().Set("Content-Type", "application/json")
	json.NewEncoder(writer).Encode(told)
}

func main() {
	server := &http.Server{
		Handler: http.HandlerFunc(answer),
		ConnContext: func(parent context.Context, connection net.Conn) context.Context {
			return context.WithValue(parent, connectionKey{}, connection)
		},
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	for _, port := range os.Args[1:] {
		listener, err := net.Listen("tcp4", ":"+port)
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			if err := server.Serve(proxyListener{listener}); err != http.ErrServerClosed {
				log.Fatal(err)
			}
		}()
	}
	<-stop.Done()
	ending, done := context.WithTimeout(context.Background(), graceful)
	defer done()
	server.Shutdown(ending)
}
