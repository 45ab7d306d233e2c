package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newPlace is a free port and a path for a lender.
func newPlace(t *testing.T) place {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return place{listener.Addr().String(), filepath.Join(t.TempDir(), "door.sock")}
}

// started runs the program itself, and waits until it lends.
func started(t *testing.T, places ...place) *exec.Cmd {
	t.Helper()
	program := filepath.Join(t.TempDir(), "door")
	if said, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	words := []string{"lend"}
	for _, one := range places {
		words = append(words, one.address, one.path)
	}
	command := exec.Command(program, words...)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if check(places[len(places)-1].path) == nil {
			return command
		}
	}
	t.Fatal("waited too long for the lender")
	return nil
}

// borrowed takes a socket of a lender.
func borrowed(t *testing.T, path string) int {
	t.Helper()
	connection, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	rights := make([]byte, syscall.CmsgSpace(4))
	_, length, _, _, err := connection.ReadMsgUnix(make([]byte, 1), rights)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:length])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages: %v", len(messages), err)
	}
	descriptors, err := syscall.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(descriptors[0]) })
	return descriptors[0]
}

func TestEachSocketIsLentBoundButNotListening(t *testing.T) {
	places := []place{newPlace(t), newPlace(t)}
	started(t, places...)
	for _, here := range places {
		socket := borrowed(t, here.path)
		if connection, err := net.Dial("tcp4", here.address); err == nil {
			connection.Close()
			t.Fatal("it listens before the borrower does")
		}
		where, err := syscall.Getsockname(socket)
		if err != nil || fmt.Sprintf("127.0.0.1:%d", where.(*syscall.SockaddrInet4).Port) != here.address {
			t.Fatalf("bound to %v: %v", where, err)
		}
		mode, err := os.Stat(here.path)
		if err != nil || mode.Mode().Perm() != 0o600 {
			t.Fatalf("others may borrow: %v %v", mode, err)
		}
	}
}

func TestALenderEndsWhenItIsTold(t *testing.T) {
	here := newPlace(t)
	command := started(t, here)
	_ = command.Process.Signal(syscall.SIGTERM)
	if state, err := command.Process.Wait(); err != nil || state.ExitCode() != 0 {
		t.Errorf("it ended with %v, %v", state, err)
	}
	if check(here.path) == nil {
		t.Error("somebody still lends")
	}
}

func TestALenderTakesThePlaceOfOneThatWasKilled(t *testing.T) {
	here := newPlace(t)
	first := started(t, here)
	_ = first.Process.Kill() // It leaves its socket's file behind.
	_, _ = first.Process.Wait()
	started(t, here)
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	path := filepath.Join(t.TempDir(), "door.sock")
	for _, test := range []struct {
		words []string
		code  int
		says  string
	}{
		{[]string{}, 2, "usage:"},
		{[]string{"lend", ":8080"}, 2, "usage:"},
		{[]string{"lend", ":8080", path, ":8443"}, 2, "usage:"},
		{[]string{"knock", path}, 2, "usage:"},
		{[]string{"lend", "8080", path}, 1, "is not ADDRESS:PORT"},
		{[]string{"lend", "[::1]:8080", path}, 1, "is not ADDRESS:PORT"},
		{[]string{"lend", ":0", path}, 1, "is not ADDRESS:PORT"},
		{[]string{"lend", taken.Addr().String(), path}, 1, "could not be had"},
		{[]string{"check", path}, 1, "no such file"},
	} {
		var stderr bytes.Buffer
		code := run(test.words, &stderr)
		if code != test.code || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%v gave %d and %q", test.words, code, stderr.String())
		}
	}
}
