package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

const (
	again = 50 * time.Millisecond // between two tries to reach the lender
	limit = 3 * time.Second       // for its answer
)

// A loan is a borrowed socket.
type loan struct {
	socket *os.File
	lender net.Conn // ends when the lender does
}

// borrow asks the lender for a socket.
func borrow(path string) (loan, error) {
	connection, err := net.DialTimeout("unix", path, limit)
	if err != nil {
		return loan{}, err
	}
	descriptor, err := receive(connection.(*net.UnixConn))
	if err != nil {
		connection.Close()
		return loan{}, fmt.Errorf("%s lent nothing: %w", path, err)
	}
	return loan{os.NewFile(uintptr(descriptor), "borrowed"), connection}, nil
}

func receive(connection *net.UnixConn) (int, error) {
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	text, rights := make([]byte, 1), make([]byte, syscall.CmsgSpace(4))
	_, length, _, _, err := connection.ReadMsgUnix(text, rights)
	if err != nil {
		return 0, err
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:length])
	if err != nil || len(messages) != 1 {
		return 0, errors.New("no socket came")
	}
	descriptors, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) != 1 {
		return 0, errors.New("no socket came")
	}
	syscall.CloseOnExec(descriptors[0])
	return descriptors[0], connection.SetDeadline(time.Time{})
}

// check returns why nobody lends there, or nil.
func check(path string) error {
	lent, err := borrow(path)
	if err != nil {
		return err
	}
	lent.socket.Close()
	return lent.lender.Close()
}

// keepRunning runs a program with a borrowed socket until it ends. When the lender is gone, nobody
// reaches that socket any more: the program is ended and begins anew with one of the next lender.
func keepRunning(path string, argv []string, stderr io.Writer) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
	said := ""
	for {
		lent, err := borrow(path)
		if err == nil {
			said = ""
			code, ended, err := runWith(lent, argv, signals)
			if ended || err != nil {
				return code, err
			}
			fmt.Fprintln(stderr, "door: the lender is gone; the program begins anew with the next one")
			continue
		}
		if said != err.Error() {
			said = err.Error()
			fmt.Fprintf(stderr, "door: waiting: %v\n", err)
		}
		select {
		case <-signals: // There is nothing yet that would have to end.
			return 0, nil
		case <-time.After(again):
		}
	}
}

// runWith runs the program once, and returns its exit code, and whether it ended by itself or by a
// signal that was passed on to it; else it was the lender who went first.
func runWith(lent loan, argv []string, signals <-chan os.Signal) (int, bool, error) {
	defer lent.lender.Close()
	command := exec.Command(argv[0], argv[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.ExtraFiles = []*os.File{lent.socket}
	err := command.Start()
	// A socket listens until its last copy is closed.
	lent.socket.Close()
	if err != nil {
		return 0, true, err
	}
	over, gone := make(chan struct{}), make(chan struct{})
	go func() {
		_ = command.Wait()
		close(over)
	}()
	go func() {
		_, _ = lent.lender.Read(make([]byte, 1))
		close(gone)
	}()
	told := false
	for {
		select {
		case <-over:
			return exitCode(command.ProcessState), true, nil
		case one := <-signals:
			told = true
			_ = command.Process.Signal(one)
		case <-gone:
			if told {
				<-over
				return exitCode(command.ProcessState), true, nil
			}
			_ = command.Process.Kill()
			<-over
			return 0, false, nil
		}
	}
}

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
