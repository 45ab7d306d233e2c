package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
)

// reusePort is SO_REUSEPORT of Linux, which package syscall does not name.
const reusePort = 15

// lend owns an address: whoever connects to the Unix socket is sent a fresh TCP socket that is bound
// there, and knows by the end of that connection that the lender is gone. It returns once it is told
// to end.
func lend(address, path string) error {
	where, err := parseAddress(address)
	if err != nil {
		return err
	}
	// The first one shows at once whether the address can be had at all, and holds it: other
	// programs that ask for it are refused even while nobody listens.
	held, err := bound(where)
	if err != nil {
		return err
	}
	defer syscall.Close(held)
	// What an earlier lender left, which was ended without a word, refuses connections.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-told
		listener.Close()
	}()
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go serve(connection.(*net.UnixConn), where)
	}
}

// serve sends one borrower its socket, and keeps the connection as long as the borrower does.
func serve(connection *net.UnixConn, where syscall.SockaddrInet4) {
	defer connection.Close()
	descriptor, err := bound(where)
	if err != nil {
		fmt.Fprintf(os.Stderr, "door: %v\n", err)
		return
	}
	_, _, err = connection.WriteMsgUnix([]byte{0}, syscall.UnixRights(descriptor), nil)
	syscall.Close(descriptor)
	if err != nil {
		return
	}
	_, _ = connection.Read(make([]byte, 1))
}

// parseAddress reads an IPv4 address and a port; without an address it is every one of the host.
func parseAddress(text string) (syscall.SockaddrInet4, error) {
	host, port, err := net.SplitHostPort(text)
	if err == nil && host == "" {
		text = net.JoinHostPort("0.0.0.0", port)
	}
	parsed, failed := netip.ParseAddrPort(text)
	if err != nil || failed != nil || !parsed.Addr().Is4() || parsed.Port() == 0 {
		return syscall.SockaddrInet4{}, fmt.Errorf("%q is not ADDRESS:PORT of IPv4", text)
	}
	return syscall.SockaddrInet4{Port: int(parsed.Port()), Addr: parsed.Addr().As4()}, nil
}

// bound makes a TCP socket that is bound to an address, but does not listen yet.
func bound(where syscall.SockaddrInet4) (int, error) {
	descriptor, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("no socket could be made: %w", err)
	}
	for _, option := range []int{syscall.SO_REUSEADDR, reusePort} {
		if err = syscall.SetsockoptInt(descriptor, syscall.SOL_SOCKET, option, 1); err != nil {
			break
		}
	}
	if err == nil {
		err = syscall.Bind(descriptor, &where)
	}
	if err != nil {
		syscall.Close(descriptor)
		return 0, fmt.Errorf("port %d could not be had: %w", where.Port, err)
	}
	return descriptor, nil
}
