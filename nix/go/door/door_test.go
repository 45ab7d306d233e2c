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
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test program stand for the one that is started with a borrowed socket: it
// listens there and answers every connection with its process id.
func TestMain(m *testing.M) {
	if os.Getenv("DOOR_TEST_SERVES") == "" {
		os.Exit(m.Run())
	}
	if err := syscall.Listen(3, 16); err != nil {
		os.Exit(9)
	}
	listener, err := net.FileListener(os.NewFile(3, "borrowed"))
	if err != nil {
		os.Exit(8)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			os.Exit(7)
		}
		fmt.Fprint(connection, os.Getpid())
		connection.Close()
	}
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

// command starts this program as another process.
func command(t *testing.T, program string, words ...string) *exec.Cmd {
	t.Helper()
	started := exec.Command(program, words...)
	started.Env = append(os.Environ(), "DOOR_TEST_SERVES=1")
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

// build makes the program itself, for what only a process of its own can show.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "door")
	if said, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
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

func TestASocketIsLentBoundButNotListening(t *testing.T) {
	here, program := newPlace(t), build(t)
	command(t, program, "lend", here.address, here.path)
	eventually(t, "the lender", func() string {
		if check(here.path) != nil {
			return ""
		}
		return "lends"
	})
	lent, err := borrow(here.path)
	if err != nil {
		t.Fatal(err)
	}
	if connection, err := net.Dial("tcp4", here.address); err == nil {
		connection.Close()
		t.Fatal("it listens before the borrower does")
	}
	where, err := syscall.Getsockname(int(lent.socket.Fd()))
	if err != nil || fmt.Sprintf("127.0.0.1:%d", where.(*syscall.SockaddrInet4).Port) != here.address {
		t.Fatalf("bound to %v: %v", where, err)
	}
	mode, err := os.Stat(here.path)
	if err != nil || mode.Mode().Perm() != 0o600 {
		t.Fatalf("others may borrow: %v %v", mode, err)
	}
}

func TestAProgramServesAndBeginsAnewWithTheNextLender(t *testing.T) {
	here, program := newPlace(t), build(t)
	borrower := command(t, program, "run", here.path, os.Args[0])
	lender := command(t, program, "lend", here.address, here.path)
	first := eventually(t, "the program", func() string { return who(here.address) })
	_ = lender.Process.Kill() // It leaves its socket's file behind.
	_ = lender.Wait()
	eventually(t, "the program's end", func() string {
		if who(here.address) != "" {
			return ""
		}
		return "ended"
	})
	command(t, program, "lend", here.address, here.path)
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
	here, program := newPlace(t), build(t)
	command(t, program, "lend", here.address, here.path)
	borrowers := []*exec.Cmd{
		command(t, program, "run", here.path, os.Args[0]),
		command(t, program, "run", here.path, os.Args[0]),
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

func TestATermBeforeThereIsALenderEndsIt(t *testing.T) {
	here, program := newPlace(t), build(t)
	borrower := command(t, program, "run", here.path, os.Args[0])
	time.Sleep(200 * time.Millisecond)
	_ = borrower.Process.Signal(syscall.SIGUSR1)
	state, err := borrower.Process.Wait()
	if err != nil || !state.Exited() {
		t.Errorf("it ended with %v, %v", state, err)
	}
}

func TestTheProgramsEndIsItsOwn(t *testing.T) {
	here, program := newPlace(t), build(t)
	command(t, program, "lend", here.address, here.path)
	borrower := command(t, program, "run", here.path, "/bin/sh", "-c", "exit 7")
	if state, err := borrower.Process.Wait(); err != nil || state.ExitCode() != 7 {
		t.Errorf("it ended with %v, %v", state, err)
	}
	absent := command(t, program, "run", here.path, "/absent")
	if state, err := absent.Process.Wait(); err != nil || state.ExitCode() != 1 {
		t.Errorf("it ended with %v, %v", state, err)
	}
}

func TestALenderEndsWhenItIsTold(t *testing.T) {
	here, program := newPlace(t), build(t)
	lender := command(t, program, "lend", here.address, here.path)
	eventually(t, "the lender", func() string {
		if check(here.path) != nil {
			return ""
		}
		return "lends"
	})
	_ = lender.Process.Signal(syscall.SIGTERM)
	if state, err := lender.Process.Wait(); err != nil || state.ExitCode() != 0 {
		t.Errorf("it ended with %v, %v", state, err)
	}
	if check(here.path) == nil {
		t.Error("somebody still lends")
	}
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
		{[]string{"run", path}, 2, "usage:"},
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
