package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test program stand for the one that is started with borrowed sockets: it listens
// on each and answers every connection with its process id.
func TestMain(m *testing.M) {
	if os.Getenv("EDGE_TEST_SERVES") == "" {
		os.Exit(m.Run())
	}
	var both sync.WaitGroup
	for descriptor := 3; ; descriptor++ {
		if syscall.Listen(descriptor, 16) != nil {
			break
		}
		listener, err := net.FileListener(os.NewFile(uintptr(descriptor), "borrowed"))
		if err != nil {
			os.Exit(8)
		}
		both.Add(1)
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					os.Exit(7)
				}
				fmt.Fprint(connection, os.Getpid())
				connection.Close()
			}
		}()
	}
	both.Wait()
}

// a place is a free port and a path for a lender.
type place struct{ address, path string }

func newPlace(t *testing.T) place {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return place{listener.Addr().String(), filepath.Join(t.TempDir(), "door.sock")}
}

// build makes a program of this folder or of one beside it.
func build(t *testing.T, folder string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if said, err := exec.Command("go", "build", "-o", program, folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

// command starts a program as another process.
func command(t *testing.T, program string, words ...string) *exec.Cmd {
	t.Helper()
	started := exec.Command(program, words...)
	started.Env = append(os.Environ(), "EDGE_TEST_SERVES=1")
	started.Stderr = os.Stderr
	if err := started.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = started.Process.Signal(syscall.SIGTERM) // It takes its own program with it.
		_ = started.Wait()
	})
	return started
}

func lend(t *testing.T, program string, places ...place) *exec.Cmd {
	words := []string{"lend"}
	for _, one := range places {
		words = append(words, one.address, one.path)
	}
	return command(t, program, words...)
}

// eventually waits for an answer that is not empty.
func eventually(t *testing.T, what string, ask func() string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if answer := ask(); answer != "" {
			return answer
		}
	}
	t.Fatalf("waited too long for %s", what)
	return ""
}

// who asks a port which process answers; empty when none does.
func who(address string) string {
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		return ""
	}
	defer connection.Close()
	answer, _ := io.ReadAll(connection)
	return string(answer)
}

func TestAProgramServesAndBeginsAnewWithTheNextLender(t *testing.T) {
	here, there, door := newPlace(t), newPlace(t), build(t, "../door")
	borrower := command(t, build(t, "."), here.path, there.path, "--", os.Args[0])
	lender := lend(t, door, here, there)
	first := eventually(t, "the program", func() string { return who(there.address) })
	if who(here.address) != first {
		t.Error("another one serves at the other address")
	}
	_ = lender.Process.Kill() // It leaves its sockets' files behind.
	_ = lender.Wait()
	eventually(t, "the program's end", func() string {
		if who(here.address) != "" {
			return ""
		}
		return "ended"
	})
	lend(t, door, here, there)
	second := eventually(t, "the program again", func() string { return who(here.address) })
	if first == second {
		t.Errorf("process %s went on with the socket of a lender that is gone", first)
	}
	_ = borrower.Process.Signal(syscall.SIGTERM)
	state, err := borrower.Process.Wait()
	if err != nil || state.ExitCode() != 128+int(syscall.SIGTERM) {
		t.Errorf("it ended with %v, %v", state, err)
	}
	if who(here.address) != "" {
		t.Error("the program outlived it")
	}
}

func TestTwoBorrowersServeUntilOneEnds(t *testing.T) {
	here, edge := newPlace(t), build(t, ".")
	lend(t, build(t, "../door"), here)
	borrowers := []*exec.Cmd{
		command(t, edge, here.path, "--", os.Args[0]),
		command(t, edge, here.path, "--", os.Args[0]),
	}
	seen := map[string]bool{}
	eventually(t, "both", func() string {
		seen[who(here.address)] = true
		delete(seen, "")
		return strings.Repeat("x", len(seen)/2)
	})
	_ = borrowers[0].Process.Signal(syscall.SIGTERM)
	_, _ = borrowers[0].Process.Wait()
	for range 50 {
		if who(here.address) == "" {
			t.Fatal("a connection went to the one that has ended")
		}
	}
}

func TestASignalBeforeThereIsALenderEndsIt(t *testing.T) {
	here := newPlace(t)
	borrower := command(t, build(t, "."), here.path, "--", os.Args[0])
	time.Sleep(200 * time.Millisecond)
	_ = borrower.Process.Signal(syscall.SIGUSR1)
	state, err := borrower.Process.Wait()
	if err != nil || !state.Exited() {
		t.Errorf("it ended with %v, %v", state, err)
	}
}

func TestTheProgramsEndIsItsOwn(t *testing.T) {
	here, edge := newPlace(t), build(t, ".")
	lend(t, build(t, "../door"), here)
	borrower := command(t, edge, here.path, "--", "/bin/sh", "-c", "exit 7")
	if state, err := borrower.Process.Wait(); err != nil || state.ExitCode() != 7 {
		t.Errorf("it ended with %v, %v", state, err)
	}
	absent := command(t, edge, here.path, "--", "/absent")
	if state, err := absent.Process.Wait(); err != nil || state.ExitCode() != 1 {
		t.Errorf("it ended with %v, %v", state, err)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	for _, test := range []struct {
		words []string
		env   map[string]string
		says  string
	}{
		{nil, nil, "usage:"},
		{[]string{"/s"}, nil, "usage:"},
		{[]string{"/s", "--"}, nil, "usage:"},
		{[]string{"--", "program"}, nil, "usage:"},
		{[]string{"/s", "--", "program"}, map[string]string{"EDGE_CERTIFICATE": "/c"}, "EDGE_ADMIN"},
	} {
		var stderr bytes.Buffer
		env := func(name string) string { return test.env[name] }
		if code := run(test.words, env, &stderr); code != 2 || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%v gave %d and %q", test.words, code, stderr.String())
		}
	}
}

func TestACertificateIsWaitedFor(t *testing.T) {
	here, path := newPlace(t), filepath.Join(t.TempDir(), "site.pem")
	lend(t, build(t, "../door"), here)
	t.Setenv("EDGE_CERTIFICATE", path)
	t.Setenv("EDGE_ADMIN", path+".sock")
	command(t, build(t, "."), here.path, "--", os.Args[0])
	time.Sleep(300 * time.Millisecond)
	if who(here.address) != "" {
		t.Fatal("it was started without a certificate")
	}
	if err := os.WriteFile(path, []byte("pem"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the program", func() string { return who(here.address) })
}

// admin stands for HAProxy's admin socket: it answers what it is told to, and remembers what came.
func admin(t *testing.T, answer func(string) string) (string, <-chan string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "admin.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	came := make(chan string, 100)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			text := make([]byte, 4096)
			length, _ := connection.Read(text)
			came <- string(text[:length])
			fmt.Fprint(connection, answer(string(text[:length])))
			connection.Close()
		}
	}()
	return path, came
}

func next(t *testing.T, came <-chan string) string {
	t.Helper()
	select {
	case text := <-came:
		return text
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		return ""
	}
}

func TestAChangedCertificateIsHandedOverAndARefusedOneOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.pem")
	put := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	socket, came := admin(t, func(text string) string {
		switch {
		case strings.Contains(text, "bad"):
			return "unable to load certificate\n\n"
		case strings.HasPrefix(text, "set"):
			return "Transaction created for certificate!\n\n"
		}
		return "Committing\nSuccess!\n\n"
	})
	put("one\n")
	served, over := certificate{path, socket}, make(chan struct{})
	defer close(over)
	go served.follow(served.seen(), over, io.Discard)
	put("two\n\nlines\n")
	if text := next(t, came); text != "set ssl cert "+path+" <<\ntwo\nlines\n\n" {
		t.Errorf("it was told %q", text)
	}
	if text := next(t, came); text != "commit ssl cert "+path+"\n" {
		t.Errorf("it was told %q", text)
	}
	put("bad\n")
	if text := next(t, came); !strings.Contains(text, "bad") {
		t.Errorf("it was told %q", text)
	}
	time.Sleep(look + look/2)
	put("three\n")
	if text := next(t, came); !strings.Contains(text, "three") {
		t.Errorf("the refused one came again: %q", text)
	}
}
