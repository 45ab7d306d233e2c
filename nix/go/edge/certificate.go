package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const look = 2 * time.Second // between two looks at the certificate

// A certificate is a file whose content the proxy serves.
type certificate struct {
	path  string // empty for none
	admin string // the proxy's admin socket
}

// there returns why the file can't be served yet, or nil.
func (c certificate) there() error {
	if c.path == "" {
		return nil
	}
	_, err := os.Stat(c.path)
	return err
}

// seen returns the file's content, nothing where there is none.
func (c certificate) seen() []byte {
	if c.path == "" {
		return nil
	}
	content, _ := os.ReadFile(c.path)
	return content
}

// follow hands the file to the proxy each time it has changed, until the proxy is over. One that the
// proxy refuses is told of once; it goes on with the one before.
func (c certificate) follow(served []byte, over <-chan struct{}, stderr io.Writer) {
	refused := []byte(nil)
	for {
		select {
		case <-over:
			return
		case <-time.After(look):
		}
		now := c.seen()
		if now == nil || bytes.Equal(now, served) || bytes.Equal(now, refused) {
			continue
		}
		err := c.hand(now)
		if _, is := err.(refusal); is {
			refused = now
		}
		if err != nil {
			fmt.Fprintf(stderr, "edge: the certificate has changed, but is not served: %v\n", err)
			continue
		}
		served = now
		fmt.Fprintln(stderr, "edge: the certificate has changed, and is served")
	}
}

// A refusal is what the proxy said of a certificate that it does not take.
type refusal string

func (r refusal) Error() string { return string(r) }

// hand replaces the certificate in the running proxy: connections that are open keep theirs (HAProxy
// management guide, "set ssl cert").
func (c certificate) hand(content []byte) error {
	said, err := c.ask("set ssl cert " + c.path + " <<\n" + withoutEmptyLines(content) + "\n")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(said, "Transaction created") && !strings.HasPrefix(said, "Transaction updated") {
		return refusal(said)
	}
	said, err = c.ask("commit ssl cert " + c.path + "\n")
	if err != nil {
		return err
	}
	if !strings.Contains(said, "Success!") {
		_, _ = c.ask("abort ssl cert " + c.path + "\n")
		return refusal(said)
	}
	return nil
}

// withoutEmptyLines is a payload, which an empty line would end.
func withoutEmptyLines(content []byte) string {
	var kept strings.Builder
	for _, line := range strings.Split(string(content), "\n") {
		if strings.TrimSpace(line) != "" {
			kept.WriteString(line + "\n")
		}
	}
	return kept.String()
}

func (c certificate) ask(command string) (string, error) {
	connection, err := net.DialTimeout("unix", c.admin, limit)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(connection, command); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	return strings.TrimSpace(string(answer)), err
}
