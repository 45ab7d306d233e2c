package main

import (
	"bufio"
	"bytes"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// serve answers every connection on a loopback port: it reads one line and writes answer. A nil
// answer keeps the connection open and silent.
func serve(t *testing.T, answer []byte) string {
	t.Helper()
	address, _ := serveOn(t, "tcp", "127.0.0.1:0", answer)
	return address
}

// serveSocket is serve on a Unix socket; it also gives the lines that it reads.
func serveSocket(t *testing.T, answer []byte) (string, <-chan string) {
	t.Helper()
	return serveOn(t, "unix", filepath.Join(t.TempDir(), "admin.sock"), answer)
}

func serveOn(t *testing.T, network, address string, answer []byte) (string, <-chan string) {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	lines := make(chan string, 8)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { connection.Close() })
			go func() {
				line, _ := bufio.NewReader(connection).ReadString('\n')
				lines <- line
				if answer != nil {
					_, _ = connection.Write(answer)
					connection.Close()
				}
			}()
		}
	}()
	return listener.Addr().String(), lines
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, scheme, answer string
		code                 int
		says                 string
	}{
		{"http ok", "http", "HTTP/1.1 200 OK\r\n\r\nbody", 0, ""},
		{"http no content", "http", "HTTP/1.0 204 No Content\r\n\r\n", 0, ""},
		{"http without a reason", "http", "HTTP/1.1 200", 0, ""},
		{"http redirect", "http", "HTTP/1.1 301 Moved\r\n\r\n", 1, "it answered 301"},
		{"http unavailable", "http", "HTTP/1.1 503 Service Unavailable\r\n\r\n", 1, "it answered 503"},
		{"http noise", "http", "SSH-2.0-OpenSSH\r\n", 1, "not HTTP"},
		{"http odd status", "http", "HTTP/1.1 2xx OK\r\n", 1, "not HTTP"},
		{"http long noise", "http", strings.Repeat("x", 9000), 1, "not HTTP"},
		{"http closed", "http", "", 1, "closed the connection"},
		{"redis pong", "redis", "+PONG\r\n", 0, ""},
		{"redis wants a password", "redis", "-NOAUTH Authentication required.\r\n", 0, ""},
		{"redis loading", "redis", "-LOADING Redis is loading the dataset\r\n", 1, "LOADING"},
		{"redis closed", "redis", "", 1, "closed the connection"},
		{"tcp", "tcp", "", 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			code := run([]string{test.scheme + "://" + serve(t, []byte(test.answer))}, nil, &stderr)
			checkOutcome(t, code, stderr.String(), test.code, test.says)
		})
	}
}

func TestRequestNamesPathAndHost(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	lines := make(chan string, 2)
	go func() {
		reader := bufio.NewReader(server)
		for range 2 {
			line, _ := reader.ReadString('\n')
			lines <- strings.TrimSpace(line)
		}
		for {
			if line, _ := reader.ReadString('\n'); strings.TrimSpace(line) == "" {
				break
			}
		}
		_, _ = server.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		server.Close()
	}()
	target, err := parseTarget("http://127.0.0.1:8000/health?deep=1")
	if err != nil {
		t.Fatal(err)
	}
	if err := target.checkHTTP(client); err != nil {
		t.Fatal(err)
	}
	if got := <-lines; got != "GET /health?deep=1 HTTP/1.1" {
		t.Errorf("request line %q", got)
	}
	if got := <-lines; got != "Host: 127.0.0.1:8000" {
		t.Errorf("host line %q", got)
	}
}

func TestSilenceEndsAtTheTimeout(t *testing.T) {
	for _, scheme := range []string{"http", "redis"} {
		var stderr bytes.Buffer
		asked := []string{"-timeout", "50ms", scheme + "://" + serve(t, nil)}
		checkOutcome(t, run(asked, nil, &stderr), stderr.String(), 1, "no whole answer within 50ms")
	}
}

func TestHAProxyIsHealthyWhenItAnswers(t *testing.T) {
	for answer, want := range map[string]int{
		"Name: HAProxy\nVersion: 3.0.11\n\n": 0, "Permission denied\n\n": 1, "": 1,
	} {
		var stderr bytes.Buffer
		socket, lines := serveSocket(t, []byte(answer))
		code := run([]string{"haproxy://" + socket}, nil, &stderr)
		if code != want || (code == 1) != strings.Contains(stderr.String(), "is not healthy") {
			t.Errorf("%q gave exit code %d and %q", answer, code, stderr.String())
		}
		if line := <-lines; line != "show info\n" {
			t.Errorf("it asked %q", line)
		}
	}
}

func TestAdminCopiesAnswers(t *testing.T) {
	for _, answer := range []string{"\n", "# pxname\napi\n\n", "\nNo such server.\n\n"} {
		var stdout, stderr bytes.Buffer
		socket, lines := serveSocket(t, []byte(answer))
		code := run([]string{"admin", socket, "show info; show stat"}, &stdout, &stderr)
		checkOutcome(t, code, stderr.String(), 0, "")
		if stdout.String() != answer {
			t.Errorf("%q for %q", stdout.String(), answer)
		}
		if line := <-lines; line != "show info; show stat\n" {
			t.Errorf("it sent %q", line)
		}
	}
}

func TestAdminSaysWhenAnAnswerIsNotWhole(t *testing.T) {
	for answer, says := range map[string]string{
		"": "before the end", "# pxname\na": "before the end", "# pxname\na\n": "before the end",
	} {
		var stdout, stderr bytes.Buffer
		socket, _ := serveSocket(t, []byte(answer))
		checkOutcome(t, run([]string{"admin", socket, "show stat"}, &stdout, &stderr),
			stderr.String(), 1, says)
	}
	var stdout, stderr bytes.Buffer
	silent, _ := serveSocket(t, nil)
	asked := []string{"-timeout", "50ms", "admin", silent, "show stat"}
	checkOutcome(t, run(asked, &stdout, &stderr), stderr.String(), 1, "no whole answer within 50ms")
	stderr.Reset()
	absent := filepath.Join(t.TempDir(), "absent.sock")
	checkOutcome(t, run([]string{"admin", absent, "show stat"}, &stdout, &stderr),
		stderr.String(), 1, absent+" did not answer")
}

func TestRefusedConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	var stderr bytes.Buffer
	checkOutcome(t, run([]string{"tcp://" + address}, nil, &stderr), stderr.String(), 1, "refused")
}

func TestUsage(t *testing.T) {
	for _, arguments := range [][]string{
		{}, {"a", "b"}, {"-unknown", "tcp://127.0.0.1:1"}, {"-timeout", "0s", "tcp://127.0.0.1:1"},
		{"127.0.0.1:80"}, {"https://127.0.0.1:443/"}, {"tcp://127.0.0.1"}, {"tcp://:80"},
		{"tcp://127.0.0.1:0"}, {"tcp://127.0.0.1:99999"}, {"tcp://127.0.0.1:80/path"},
		{"http://127.0.0.1:80/a b"}, {"http://127.0.0.1:80/a\r\nX: y"},
		{"haproxy://"}, {"haproxy:///"}, {"haproxy://run/admin.sock"},
		{"file://"}, {"file://run/heartbeat"}, {"-age", "0s", "file:///run/heartbeat"},
		{"admin", "/run/admin.sock"}, {"admin", "admin.sock", "show info"},
		{"admin", "/run/admin.sock", " "}, {"admin", "/run/admin.sock", "show info\nshow stat"},
		{"ask", "/run/admin.sock", "show info"}, {"admin", "/run/a.sock", "show info", "more"},
	} {
		var stderr bytes.Buffer
		checkOutcome(t, run(arguments, nil, &stderr), stderr.String(), 2, "usage:")
	}
}

func checkOutcome(t *testing.T, code int, stderr string, wantCode int, wantSays string) {
	t.Helper()
	if code != wantCode {
		t.Errorf("exit code %d, want %d (%s)", code, wantCode, stderr)
	}
	if wantSays == "" && stderr != "" || !strings.Contains(stderr, wantSays) {
		t.Errorf("it said %q, want %q", stderr, wantSays)
	}
	if code == 1 && strings.Count(stderr, "\n") != 1 {
		t.Errorf("more than one line: %q", stderr)
	}
}
