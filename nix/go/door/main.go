// Command door keeps a port open while the proxy behind it is replaced. One process, which never
// has to change, owns the port's address; every proxy borrows a listening socket of its own there:
//
//	door lend :8080 /run/door/door.sock             own the address and lend sockets for it
//	door run /run/door/door.sock PROGRAM [ARGUMENT…] start a program with a borrowed socket as
//	                                                 descriptor 3, and again when the lender is back
//	door check /run/door/door.sock                  is there somebody who lends?
//
// Sockets have SO_REUSEPORT: the kernel gives each new connection to one of those that listen. A
// socket is lent before it listens, so that nobody waits for a program that is still starting. In
// the lender's network net.ipv4.tcp_migrate_req should be 1: what waits at a socket that is closed
// then goes to another one.
//
// Exit codes: 0 lends, or was told to end; 1 it failed, with one sentence on stderr; 2 wrong usage;
// of run otherwise those of the program, 128 and the signal's number when one ended it.
package main

import (
	"fmt"
	"io"
	"os"
)

const usage = "usage: door lend ADDRESS:PORT SOCKET | run SOCKET PROGRAM [ARGUMENT…] | check SOCKET"

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(words []string, stderr io.Writer) int {
	var code int
	var err error
	switch {
	case len(words) == 3 && words[0] == "lend":
		err = lend(words[1], words[2])
	case len(words) >= 3 && words[0] == "run":
		code, err = keepRunning(words[1], words[2:], stderr)
	case len(words) == 2 && words[0] == "check":
		err = check(words[1])
	default:
		fmt.Fprintln(stderr, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintf(stderr, "door: %v\n", err)
		return 1
	}
	return code
}
