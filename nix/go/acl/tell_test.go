package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// server answers each command with the next of some answers, and returns what it was told.
func server(t *testing.T, answers ...string) (string, <-chan []string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	told := make(chan []string, 1)
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		reader := bufio.NewReader(connection)
		var commands []string
		for _, answer := range answers {
			words := readCommand(reader)
			if words == "" {
				break
			}
			commands = append(commands, words)
			io.WriteString(connection, answer+"\r\n")
		}
		told <- commands
	}()
	return listener.Addr().String(), told
}

// readCommand reads an array of words.
func readCommand(reader *bufio.Reader) string {
	head, err := reader.ReadString('\n')
	if err != nil {
		return ""
	}
	var words []string
	count := int(head[1] - '0')
	for index := 0; index < count; index++ {
		reader.ReadString('\n')
		word, _ := reader.ReadString('\n')
		words = append(words, strings.TrimSpace(word))
	}
	return strings.Join(words, " ")
}

// site makes a template with two users, and their secrets.
func site(t *testing.T) (template, secrets, target string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"template": "user a password:one +get\nuser b password:none +get\n",
		"one":      "new\n", "one.before": "old\n", "none": "\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "template"), folder, filepath.Join(folder, "list")
}

// TestARunningServerIsTold: each user's passwords and nothing else; the list is that of the next
// start.
func TestARunningServerIsTold(t *testing.T) {
	template, secrets, target := site(t)
	if err := start(template, secrets, target); err != nil {
		t.Fatal(err)
	}
	password, _ := os.ReadFile(target + ".reload")
	address, told := server(t, "+OK", "+OK", "+OK")
	if code := run([]string{"reload", template, secrets, target, address}, io.Discard); code != 0 {
		t.Fatalf("ended with %d", code)
	}
	got := <-told
	want := []string{
		"AUTH reload " + string(password),
		"ACL SETUSER a resetpass on " + hashOf("new") + " " + hashOf("old"),
		"ACL SETUSER b resetpass off",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("told %q", got)
	}
	list, _ := os.ReadFile(target)
	for _, line := range []string{
		"user a on " + hashOf("new") + " " + hashOf("old") + " +get\n",
		"user reload on " + hashOf(string(password)) + " -@all +acl|setuser\n",
	} {
		if !strings.Contains(string(list), line) {
			t.Errorf("%q is not in the list", line)
		}
	}
}

// TestAServerThatRefusesIsSaid: with its words, and the user they are about.
func TestAServerThatRefusesIsSaid(t *testing.T) {
	template, secrets, target := site(t)
	if err := start(template, secrets, target); err != nil {
		t.Fatal(err)
	}
	for _, each := range []struct {
		answers []string
		want    string
	}{
		{[]string{"-WRONGPASS no"}, "acl: AUTH answered WRONGPASS no"},
		{[]string{"+OK", "-ERR what"}, "acl: user a: ACL answered ERR what"},
		{[]string{"+OK"}, "acl: user a: EOF"},
	} {
		address, _ := server(t, each.answers...)
		var said strings.Builder
		code := run([]string{"reload", template, secrets, target, address}, &said)
		if code != 1 || strings.TrimSpace(said.String()) != each.want {
			t.Errorf("%q: ended with %d: %s", each.answers, code, said.String())
		}
	}
}
