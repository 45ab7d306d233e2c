// Command edge is the first process of a container that stands at the door. It borrows a socket for
// each address that is lent (command door), starts the proxy with them as descriptors 3, 4, …, and
// begins anew when the lender is gone:
//
//	edge SOCKET [SOCKET…] -- PROGRAM [ARGUMENT…]
//
// Variables of the environment, for a proxy that is HAProxy and speaks TLS:
//
//	EDGE_CERTIFICATE  file with a certificate, its chain and key; waited for before the start, and
//	                  handed to the running proxy whenever it has changed
//	EDGE_ADMIN        the proxy's admin socket, through which it is handed over
//
// Exit codes: 1 it failed, with one sentence on stderr; 2 wrong usage; otherwise those of the
// program, 128 and the signal's number when one ended it.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

const usage = "usage: edge SOCKET [SOCKET…] -- PROGRAM [ARGUMENT…]"

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(words []string, env func(string) string, stderr io.Writer) int {
	end := slices.Index(words, "--")
	if end < 1 || end == len(words)-1 {
		fmt.Fprintln(stderr, usage)
		return 2
	}
	served := certificate{env("EDGE_CERTIFICATE"), env("EDGE_ADMIN")}
	if served.path != "" && served.admin == "" {
		fmt.Fprintln(stderr, "edge: EDGE_CERTIFICATE is set, and EDGE_ADMIN, the proxy's admin socket, is not")
		return 2
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
	keeper := keeper{words[:end], words[end+1:], served, signals, stderr}
	code, err := keeper.keep()
	if err != nil {
		fmt.Fprintf(stderr, "edge: %v\n", err)
		return 1
	}
	return code
}
