// Command servers is what the pods of upstream's suites run. The name that it is started by is the image's:
//
//	hello-multi       answers HTTP on port 80
//	colorteller       answers HTTP on port SERVER_PORT with COLOR
//	udp-echoserver    returns UDP packets on port 8080, and answers HTTP there
//	grpc-echoserver   upstream's echo service on port 50051; its fixed response is the first argument
//	target-control-agent
//	                  relays TARGET_CONTROL_DATA_ADDRESS to the destination, and takes connections at the control address
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"google.golang.org/grpc"
	"sigs.k8s.io/aws-load-balancer-controller/test/e2e/gateway/test_resources/grpc/echo"
)

func serveHTTP(port, body string) error {
	return http.ListenAndServe(":"+port, http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(answer, body)
	}))
}

func echoPackets(port string) error {
	packets, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		return err
	}
	for buffer := make([]byte, 65536); ; {
		length, sender, err := packets.ReadFrom(buffer)
		if err != nil {
			return err
		}
		packets.WriteTo(buffer[:length], sender)
	}
}

func accept(address string, serve func(net.Conn)) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			serve(connection)
		}()
	}
}

func echoBack(connection net.Conn) { io.Copy(connection, connection) }

func relay(from, to string) error {
	return accept(from, func(connection net.Conn) {
		destination, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer destination.Close()
		go io.Copy(destination, connection)
		io.Copy(connection, destination)
	})
}

type echoService struct {
	echo.UnimplementedEchoServiceServer
	fixed string
}

func (s echoService) Echo(_ context.Context, request *echo.EchoRequest) (*echo.Response, error) {
	return &echo.Response{Message: request.Message}, nil
}

func (s echoService) FixedResponse(context.Context, *echo.FixedResponseRequest) (*echo.Response, error) {
	return &echo.Response{Message: s.fixed}, nil
}

func serveGRPC(port, fixed string) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	echo.RegisterEchoServiceServer(server, echoService{fixed: fixed})
	return server.Serve(listener)
}

func main() {
	name := filepath.Base(os.Args[0])
	failed := make(chan error)
	start := func(serve func() error) { go func() { failed <- serve() }() }
	switch name {
	case "hello-multi":
		start(func() error { return serveHTTP("80", "Hello World!") })
	case "colorteller":
		start(func() error { return serveHTTP(os.Getenv("SERVER_PORT"), os.Getenv("COLOR")) })
	case "udp-echoserver":
		start(func() error { return echoPackets("8080") })
		start(func() error { return serveHTTP("8080", "Hello World!") })
	case "grpc-echoserver":
		start(func() error { return serveGRPC("50051", os.Args[1]) })
	case "target-control-agent":
		destination := cmp.Or(os.Getenv("TARGET_CONTROL_DESTINATION_ADDRESS"), os.Getenv("TARGET_CONTROL_DESTINATION"))
		start(func() error { return relay(os.Getenv("TARGET_CONTROL_DATA_ADDRESS"), destination) })
		start(func() error { return accept(os.Getenv("TARGET_CONTROL_CONTROL_ADDRESS"), echoBack) })
	default:
		log.Fatalf("no server is called %s", name)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM)
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-stopped:
	}
}
