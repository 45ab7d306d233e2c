// Command probe is the health check that every image carries: it asks one address and says, by its
// exit code, whether something healthy answers there.
//
//	probe [-timeout 3s] http://127.0.0.1:8000/health   a 2xx status is healthy
//	probe [-timeout 3s] redis://127.0.0.1:6379         +PONG, or a request to log in, is healthy
//	probe [-timeout 3s] tcp://127.0.0.1:5432           an accepted connection is healthy
//
// Exit codes: 0 healthy; 1 not healthy, with one sentence on stderr; 2 wrong usage.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

const usage = "usage: probe [-timeout 3s] http://HOST:PORT/PATH | redis://HOST:PORT | tcp://HOST:PORT"

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(arguments []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("probe", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	timeout := flags.Duration("timeout", 3*time.Second, "how long the whole check may take")
	if err := flags.Parse(arguments); err != nil || flags.NArg() != 1 || *timeout <= 0 {
		fmt.Fprintln(stderr, usage)
		return 2
	}
	target, err := parseTarget(flags.Arg(0))
	if err != nil {
		fmt.Fprintf(stderr, "probe: %v\n%s\n", err, usage)
		return 2
	}
	if err := target.check(*timeout); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("no answer within %v", *timeout)
		}
		fmt.Fprintf(stderr, "probe: %s is not healthy: %v\n", flags.Arg(0), err)
		return 1
	}
	return 0
}
