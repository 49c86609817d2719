package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
)

// descriptors opens more connections than the server has descriptors: who was connected goes on, and when the others
// have gone newcomers are let in.
func (r *round) descriptors() error {
	srv, err := r.serve("go", "127.0.0.1:0", func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `ulimit -n 64 && exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	})
	if err != nil {
		return err
	}
	defer srv.kill()
	addr := fmt.Sprintf("127.0.0.1:%d", srv.port)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	friend, err := protocol.Dial(ctx, "tcp", addr, nil)
	if err != nil {
		return err
	}
	defer func() { _ = friend.CloseNow() }()
	call := func(c *protocol.Conn) error {
		got, err := netref.Call[int](ctx, c.Root(), "triple", 5)
		return check(err, got, 15)
	}
	if err := call(friend); err != nil {
		return err
	}
	var crowd []net.Conn
	defer func() {
		for _, c := range crowd {
			_ = c.Close()
		}
	}()
	for range 100 + r.rand.IntN(100) {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			break // the queue of the listening socket is full
		}
		crowd = append(crowd, c)
	}
	for range 50 {
		if err := call(friend); err != nil {
			return fmt.Errorf("whoever was connected: %w", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.say("%d connections at a server with 64 descriptors", len(crowd))
	for _, c := range crowd {
		_ = c.Close()
	}
	crowd = nil
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var c *protocol.Conn
		if c, err = protocol.Dial(ctx, "tcp", addr, nil); err == nil {
			err = call(c)
			_ = c.Close()
		}
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nobody gets in 20 s after the crowd has gone: %w", err)
		}
	}
	_ = friend.Close()
	return srv.stop()
}

// diskFull has a registry keep its state on a disk without room: it goes on answering, and writes when there is room.
func (r *round) diskFull() (err error) {
	dir, err := os.MkdirTemp("", "torture")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", dir).CombinedOutput(); err != nil {
		return errSkipped("no small disk can be mounted: " + strings.TrimSpace(string(out)))
	}
	defer func() { err = errors.Join(err, exec.Command("umount", dir).Run()) }()
	file := dir + "/state"
	s := &registry.Server{StateFile: file}
	if err := s.Open(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	pc, err := registry.ListenUDP(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeUDP(ctx, pc) }()
	c := &registry.UDPClient{Addr: pc.LocalAddr().String()}
	const n = 600 // names, which take more than the disk has
	for i := range n {
		ep := registry.Endpoint{Port: 1 + i}
		if err := c.Register(ctx, []string{"NAME" + strconv.Itoa(i)}, ep); err != nil {
			return err
		}
	}
	time.Sleep(6 * time.Second) // until it has tried
	found, err := c.Discover(ctx, "name7")
	if err != nil || len(found) != 1 {
		return fmt.Errorf("with a full disk: %v %w", found, err)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=8m", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("remount: %s", out)
	}
	if err := s.Shutdown(ctx); err != nil {
		return fmt.Errorf("there is room, and %w", err)
	}
	if err := <-done; !errors.Is(err, registry.ErrServerClosed) {
		return err
	}
	again := &registry.Server{StateFile: file}
	if err := again.Open(); err != nil {
		return err
	}
	defer again.Close()
	got := 0
	for range again.Registrations {
		got++
	}
	r.say("%d of %d registrations were read again", got, n)
	return check(nil, got, n)
}

// network lets clients in a network namespace call servers outside, by a link that delays, loses and reorders packets
// and goes down for a while.
func (r *round) network(serving string) error {
	run := func(line string) error {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	ns := fmt.Sprintf("torture%d", os.Getpid())
	near, far := fmt.Sprintf("tor%dn", os.Getpid()%100000), fmt.Sprintf("tor%df", os.Getpid()%100000)
	if err := run("ip netns add " + ns); err != nil {
		return errSkipped("no network namespace: " + err.Error())
	}
	defer func() { _ = run("ip netns del " + ns) }()
	subnet := 2 + os.Getpid()%250
	host, guest := fmt.Sprintf("10.213.%d.1", subnet), fmt.Sprintf("10.213.%d.2", subnet)
	inside := "ip netns exec " + ns + " "
	for _, line := range []string{
		"ip link add " + near + " type veth peer name " + far,
		"ip link set " + far + " netns " + ns,
		"ip addr add " + host + "/24 dev " + near, "ip link set " + near + " up",
		inside + "ip addr add " + guest + "/24 dev " + far, inside + "ip link set " + far + " up",
		inside + "ip link set lo up",
	} {
		if err := run(line); err != nil {
			return errSkipped("no network of its own: " + err.Error())
		}
	}
	defer func() { _ = run("ip link del " + near) }()
	spoil := fmt.Sprintf(" root netem delay %dms 4ms loss %d%% reorder 20%% duplicate 1%%", 5+r.rand.IntN(20), r.rand.IntN(4))
	err := errors.Join(run("tc qdisc add dev "+near+spoil), run(inside+"tc qdisc add dev "+far+spoil))
	if err != nil { // kernels come without netem
		r.say("SKIPPED: loss and reordering: %v", err)
		spoil = "a good link"
	}
	srv, err := r.serve(serving, host+":0", nil)
	if err != nil {
		return err
	}
	defer srv.kill()
	inNet := r.place
	inNet.prefix = strings.Fields(inside)
	client := kinds[r.rand.IntN(2)]
	if serving == "python" {
		client = "go"
	}
	type result struct {
		outcome
		err error
	}
	ended := make(chan result, 1)
	go func() {
		o, err := inNet.load(context.Background(), client, "--addr", fmt.Sprintf("%s:%d", host, srv.port), "--clients", "6",
			"--seconds", fmt.Sprint(2*r.seconds), "--seed", fmt.Sprint(r.seed))
		ended <- result{o, err}
	}()
	time.Sleep(time.Duration(r.seconds * 0.8 * float64(time.Second)))
	gap := time.Duration(1000+r.rand.IntN(5000)) * time.Millisecond
	down := errors.Join(run("ip link set "+near+" down"), func() error { time.Sleep(gap); return nil }(),
		run("ip link set "+near+" up"))
	got := <-ended
	r.say("%s, partition of %v", strings.TrimSpace(spoil), gap)
	return errors.Join(down, r.merge(client, got.outcome, got.err))
}
