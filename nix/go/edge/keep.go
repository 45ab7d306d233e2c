package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const again = 50 * time.Millisecond // between two tries to reach a lender, or to find a certificate

// A keeper runs a program with borrowed sockets.
type keeper struct {
	paths   []string
	argv    []string
	served  certificate
	signals <-chan os.Signal
	stderr  io.Writer
}

// keep runs the program until it ends. When a lender is gone, nobody reaches its sockets any more:
// the program is ended and begins anew with some of the next lender.
func (k keeper) keep() (int, error) {
	said := ""
	for {
		lent, err := k.ready()
		if err == nil {
			said = ""
			code, ended, err := k.runWith(lent)
			if ended || err != nil {
				return code, err
			}
			fmt.Fprintln(k.stderr, "edge: the lender is gone; the program begins anew with the next one")
			continue
		}
		if said != err.Error() {
			said = err.Error()
			fmt.Fprintf(k.stderr, "edge: waiting: %v\n", err)
		}
		select {
		case <-k.signals: // There is nothing yet that would have to end.
			return 0, nil
		case <-time.After(again):
		}
	}
}

// ready borrows the sockets once the certificate is there.
func (k keeper) ready() (loan, error) {
	if err := k.served.there(); err != nil {
		return loan{}, err
	}
	return borrow(k.paths)
}

// runWith runs the program once, and returns its exit code, and whether it ended by itself or by a
// signal that was passed on to it; else it was the lender who went first.
func (k keeper) runWith(lent loan) (int, bool, error) {
	defer lent.closeLenders()
	seen := k.served.seen()
	command := exec.Command(k.argv[0], k.argv[1:]...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.ExtraFiles = lent.sockets
	err := command.Start()
	// A socket listens until its last copy is closed.
	lent.closeSockets()
	if err != nil {
		return 0, true, err
	}
	over := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(over)
	}()
	if k.served.path != "" {
		go k.served.follow(seen, over, k.stderr)
	}
	return k.attend(command, lent.gone(), over)
}

// attend passes signals on to the program until it has ended, and ends it when the lender is gone.
func (k keeper) attend(command *exec.Cmd, gone, over <-chan struct{}) (int, bool, error) {
	told := false
	for {
		select {
		case <-over:
			return exitCode(command.ProcessState), true, nil
		case one := <-k.signals:
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
