// Command probe is the health check that every image carries: it asks one address, or looks at one
// file, and says by its exit code whether something healthy is there. Images have no other program
// that could speak to HAProxy's admin socket, so it carries commands there as well.
//
//	probe [-timeout 3s] http://127.0.0.1:8000/health   a 2xx status is healthy
//	probe [-timeout 3s] redis://127.0.0.1:6379         +PONG, or a request to log in, is healthy
//	probe [-timeout 3s] tcp://127.0.0.1:5432           an accepted connection is healthy
//	probe [-timeout 3s] haproxy:///run/admin.sock      an answer to "show info" is healthy
//	probe [-age 30s] file:///tmp/app/worker.heartbeat  a file touched within that time is healthy
//	probe [-timeout 3s] admin /run/admin.sock "show info; show stat"
//
// The last form sends HAProxy a line of commands and copies what it answers to stdout: each
// command's answer ends with an empty line. HAProxy also answers a command that it refuses; what an
// answer means is the caller's to say.
//
// Exit codes: 0 healthy, or answered; 1 not healthy, or no whole answer, with one sentence on
// stderr; 2 wrong usage.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

const usage = "usage: probe [-timeout 3s] http://HOST:PORT/PATH | redis://HOST:PORT | tcp://HOST:PORT" +
	" | haproxy:///SOCKET | admin /SOCKET COMMAND[;COMMAND…] | [-age 30s] file:///PATH"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(arguments []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("probe", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	timeout := flags.Duration("timeout", 3*time.Second, "how long the whole may take")
	age := flags.Duration("age", 30*time.Second, "how long ago a file may have been touched")
	if err := flags.Parse(arguments); err != nil || *timeout <= 0 || *age <= 0 {
		fmt.Fprintln(stderr, usage)
		return 2
	}
	what, do, err := choose(flags.Args(), *age, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "probe: %v\n%s\n", err, usage)
		return 2
	}
	if err := do(time.Now().Add(*timeout)); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("no whole answer within %v", *timeout)
		}
		fmt.Fprintf(stderr, "probe: %s: %v\n", what, err)
		return 1
	}
	return 0
}

// choose returns what the words ask for: how a failure of it begins, and how to do it by a deadline.
func choose(
	words []string, age time.Duration, stdout io.Writer,
) (string, func(time.Time) error, error) {
	switch {
	case len(words) == 3 && words[0] == "admin":
		order, err := parseOrder(words[1], words[2])
		send := func(deadline time.Time) error { return order.send(deadline, stdout) }
		return words[1] + " did not answer", send, err
	case len(words) == 1:
		target, err := parseTarget(words[0])
		if target.scheme == "file" {
			look := func(time.Time) error { return checkFile(target.address, age, time.Now()) }
			return words[0] + " is not healthy", look, err
		}
		return words[0] + " is not healthy", target.check, err
	}
	return "", nil, fmt.Errorf("%d words make no question", len(words))
}
