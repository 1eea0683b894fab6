// Command pulumi-language-python stands before a Python language host that is older than the CLI, and hands
// every call on to it. Policy packs are asked for in words which that host does not know; those it translates. Which
// plugins the packages need it answers itself (required.go).
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
)

func main() {
	if err := run(); err != nil {
		// The host has said itself why it ended, and says nothing when the CLI ends it.
		if ended := new(exec.ExitError); !errors.As(err, &ended) {
			fmt.Fprintln(os.Stderr, "pulumi-language-python:", err)
		}
		os.Exit(1)
	}
}

// run starts the older host, which is installed beside this command, and serves until it ends.
func run() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	host := exec.Command(filepath.Join(filepath.Dir(self), "pulumi-python-host"), os.Args[1:]...)
	host.Stderr = os.Stderr
	pipe, err := host.StdoutPipe()
	if err != nil {
		return err
	}
	if err := host.Start(); err != nil {
		return err
	}
	output := bufio.NewReader(pipe)
	if port, err := output.ReadString('\n'); err == nil {
		if err := serve(strings.TrimSpace(port)); err != nil {
			return err
		}
	}
	if _, err := io.Copy(os.Stdout, output); err != nil {
		return err
	}
	return host.Wait()
}

// serve hands calls on to the older host at its port, and prints the port where the CLI finds this one.
func serve(port string) error {
	host, err := grpc.NewClient("127.0.0.1:"+port,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(verbatim{}), grpc.MaxCallRecvMsgSize(math.MaxInt32)))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	handler := func(_ any, call grpc.ServerStream) error { return handOn(call, host) }
	server := grpc.NewServer(grpc.UnknownServiceHandler(handler),
		grpc.ForceServerCodec(verbatim{}), grpc.MaxRecvMsgSize(math.MaxInt32))
	go server.Serve(listener)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return nil
}

// handOn passes a call's request to the host and the host's answers back, as they come.
func handOn(call grpc.ServerStream, host *grpc.ClientConn) error {
	method, _ := grpc.MethodFromServerStream(call)
	var request, answer []byte
	if err := call.RecvMsg(&request); err != nil {
		return err
	}
	if method == pulumirpc.LanguageRuntime_GetRequiredPlugins_FullMethodName {
		if known := required(); known != nil {
			return call.SendMsg(&known)
		}
	}
	if method == pulumirpc.LanguageRuntime_RunPlugin_FullMethodName {
		var err error
		if request, err = translate(request); err != nil {
			return err
		}
	}
	answers, err := host.NewStream(call.Context(), &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		return err
	}
	if err := errors.Join(answers.SendMsg(&request), answers.CloseSend()); err != nil {
		return err
	}
	for {
		if err := answers.RecvMsg(&answer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := call.SendMsg(&answer); err != nil {
			return err
		}
	}
}

// translate turns a policy pack into what the older host starts for a plugin: `python <program> <arguments>`.
func translate(request []byte) ([]byte, error) {
	var plugin pulumirpc.RunPluginRequest
	if err := proto.Unmarshal(request, &plugin); err != nil {
		return nil, err
	}
	if plugin.Kind == "analyzer" {
		pack := plugin.GetInfo().GetProgramDirectory()
		plugin.Program = "-u"
		plugin.Args = slices.Concat([]string{"-m", "pulumi.policy"}, plugin.Args, []string{pack})
	}
	return proto.Marshal(&plugin)
}

// verbatim is the codec of messages that are handed on as they are.
type verbatim struct{}

func (verbatim) Name() string                             { return "proto" }
func (verbatim) Marshal(message any) ([]byte, error)      { return *message.(*[]byte), nil }
func (verbatim) Unmarshal(data []byte, message any) error { *message.(*[]byte) = data; return nil }
