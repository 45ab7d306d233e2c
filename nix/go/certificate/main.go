// Command certificate keeps a certificate that is good: by whatever way there is, it stands in a
// file from which the edge takes it, and is renewed long before its end.
//
//	certificate keep SITE PRIVATE   keep SITE/site.pem: the certificate, its chain, the key
//	certificate check SITE          is what stands there good?
//
// The first of these ways that there is:
//
//	supplied  the file $CERTIFICATE_FILE holds certificate, chain and key
//	acme      $ACME_DIRECTORY is the address of an authority that speaks ACME (RFC 8555). It asks
//	          for a proof on port 80 of each of $ACME_NAMES, which this program answers on port
//	          8402 (HTTP-01), or in their DNS, for which $ACME_DNS is the provider and the file
//	          $ACME_DNS_FILE has its settings, a line NAME=VALUE each (https://go-acme.github.io/lego/dns).
//	          Whether it is there is asked of $ACME_DNS_RESOLVERS (ADDRESS:PORT, with blanks), or
//	          of the system's and the name's own servers
//	local     an authority of its own, for $CERTIFICATE_NAMES. Its certificate is SITE/root.pem, to be
//	          trusted on each device; it can vouch for those names and for a home's networks only
//
// Until the authority of ACME has answered, the local one's certificate is served.
//
// Exit codes: 0 told to end, or it is good; 1 it is not, with one sentence on stderr; 2 wrong usage.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = "usage: certificate keep SITE PRIVATE | check SITE"

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(words []string, env func(string) string, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(words) == 3 && words[0] == "keep":
		told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = keep(told, readSettings(env), folders{words[1], words[2]}, stderr)
	case len(words) == 2 && words[0] == "check":
		err = check(readSettings(env), folders{site: words[1]}, time.Now(), stdout)
	default:
		fmt.Fprintln(stderr, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintf(stderr, "certificate: %v\n", err)
		return 1
	}
	return 0
}
