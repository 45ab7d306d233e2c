package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// lineLimit is the most that is read of an answer's first line, in bytes.
const lineLimit = 4096

// A target is an address together with the language that is spoken there.
type target struct {
	scheme  string // http, redis, tcp, haproxy or file
	address string // host:port; of haproxy and file an absolute path
	path    string // of http; starts with a slash
}

// parseTarget reads a target from its URL. Go's own URL and HTTP packages would make the program
// three times its size, for a grammar that has one form here.
func parseTarget(text string) (target, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return target{}, fmt.Errorf("%q has no scheme", text)
	}
	if strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return target{}, fmt.Errorf("%q has a blank or a control character", text)
	}
	address, path, _ := strings.Cut(rest, "/")
	switch scheme {
	case "haproxy", "file":
		if address != "" || path == "" {
			return target{}, fmt.Errorf("%q is not an absolute path", rest)
		}
		return target{scheme, rest, ""}, nil
	case "http":
	case "redis", "tcp":
		if path != "" {
			return target{}, fmt.Errorf("%q has a path, which %s does not know", text, scheme)
		}
	default:
		return target{}, fmt.Errorf("the scheme %q is unknown", scheme)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return target{}, fmt.Errorf("%q is not HOST:PORT", address)
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return target{}, fmt.Errorf("%q is not a port", port)
	}
	return target{scheme, address, "/" + path}, nil
}

// check asks the target, and returns why it is not healthy, or nil. The deadline is for the whole.
func (t target) check(deadline time.Time) error {
	network := "tcp"
	if t.scheme == "haproxy" {
		network = "unix"
	}
	connection, err := dial(network, t.address, deadline)
	if err != nil {
		return err
	}
	defer connection.Close()
	switch t.scheme {
	case "http":
		return t.checkHTTP(connection)
	case "redis":
		return checkRedis(connection)
	case "haproxy":
		return checkHAProxy(connection)
	}
	return nil
}

func (t target) checkHTTP(connection io.ReadWriter) error {
	request := "GET " + t.path + " HTTP/1.1\r\nHost: " + t.address +
		"\r\nUser-Agent: probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	line, err := ask(connection, request)
	if err != nil {
		return err
	}
	fields := strings.SplitN(line, " ", 3)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/1.") {
		return fmt.Errorf("it answered %q, which is not HTTP", shorten(line))
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil || len(fields[1]) != 3 {
		return fmt.Errorf("it answered %q, which is not HTTP", shorten(line))
	}
	if status < 200 || status > 299 {
		return fmt.Errorf("it answered %d", status)
	}
	return nil
}

// checkRedis takes a demand to log in for healthy: the server is up and speaks, and the health
// check needs no password for that.
func checkRedis(connection io.ReadWriter) error {
	line, err := ask(connection, "PING\r\n")
	if err != nil {
		return err
	}
	if line == "+PONG" || strings.HasPrefix(line, "-NOAUTH") {
		return nil
	}
	return fmt.Errorf("it answered %q", shorten(line))
}

// checkHAProxy asks what every HAProxy answers as soon as its configuration is in force.
func checkHAProxy(connection io.ReadWriter) error {
	line, err := ask(connection, "show info\n")
	if err != nil {
		return err
	}
	if strings.HasPrefix(line, "Name: ") {
		return nil
	}
	return fmt.Errorf("it answered %q", shorten(line))
}

// ask sends a request and returns the first line of the answer.
func ask(connection io.ReadWriter, request string) (string, error) {
	if _, err := io.WriteString(connection, request); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(io.LimitReader(connection, lineLimit)).ReadString('\n')
	if err == io.EOF && line == "" {
		return "", fmt.Errorf("it closed the connection without an answer")
	}
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// shorten keeps a message one readable line.
func shorten(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}
