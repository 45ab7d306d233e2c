// Command door keeps ports open while the proxy behind them is replaced. One process, which never
// has to change, owns their addresses; every proxy borrows listening sockets of its own there:
//
//	door lend :8080 /run/door/door.sock [:8443 /run/door/https.sock …]
//	                                        own each address, and lend sockets for it
//	door check /run/door/door.sock          is there somebody who lends?
//
// Sockets have SO_REUSEPORT: the kernel gives each new connection to one of those that listen. A
// socket is lent before it listens, so that nobody waits for a program that is still starting. In
// the lender's network net.ipv4.tcp_migrate_req should be 1: what waits at a socket that is closed
// then goes to another one. Command edge is the borrower.
//
// Exit codes: 0 lends, or was told to end; 1 it failed, with one sentence on stderr; 2 wrong usage.
package main

import (
	"fmt"
	"io"
	"os"
)

const usage = "usage: door lend ADDRESS:PORT SOCKET [ADDRESS:PORT SOCKET…] | check SOCKET"

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(words []string, stderr io.Writer) int {
	var err error
	switch {
	case len(words) >= 3 && len(words)%2 == 1 && words[0] == "lend":
		err = lend(pairs(words[1:]))
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
	return 0
}

// A place is an address and where sockets for it are lent.
type place struct{ address, path string }

func pairs(words []string) []place {
	var places []place
	for at := 0; at < len(words); at += 2 {
		places = append(places, place{words[at], words[at+1]})
	}
	return places
}
