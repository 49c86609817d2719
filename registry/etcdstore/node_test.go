package etcdstore_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

// A node of etcd is this test program again, as a process of its own that can be killed.
const nodeVariable = "ETCDSTORE_TEST_NODE"

type node struct {
	Name, Dir, Client, Peer, Cluster string
	// Sockets is the directory in which the sockets of a cluster's nodes are. Nodes listen on Unix sockets, whose names
	// are nobody else's even while a node is down; a TCP port that was free a moment ago may be taken.
	Sockets string

	process *exec.Cmd
}

func TestMain(m *testing.M) {
	if config := os.Getenv(nodeVariable); config != "" {
		runNode(config)
		return
	}
	goleak.VerifyTestMain(m)
}

// runNode is a node until its standard input ends, so that none outlives the tests.
func runNode(config string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
	}
	var n node
	fail(json.Unmarshal([]byte(config), &n))
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = n.Name, n.Dir
	client, _ := url.Parse(n.Client)
	peer, _ := url.Parse(n.Peer)
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.InitialCluster = n.Cluster
	cfg.UnsafeNoFsync = true // the machine is not what is lost
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(cfg)
	fail(err)
	go func() {
		<-e.Server.ReadyNotify()
		fmt.Println("READY")
	}()
	_, _ = bufio.NewReader(os.Stdin).ReadString(0)
	os.Exit(0)
}

// start runs the node; when is called when it takes requests.
func (n *node) start(t *testing.T) (ready <-chan struct{}) {
	config, err := json.Marshal(n)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	n.process = exec.Command(self)
	n.process.Dir = n.Sockets // etcd has the sockets it is told in the working directory
	n.process.Env = append(os.Environ(), nodeVariable+"="+string(config))
	n.process.Stderr = os.Stderr
	in, err := n.process.StdinPipe()
	require.NoError(t, err)
	out, err := n.process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, n.process.Start())
	c := make(chan struct{})
	process := n.process
	t.Cleanup(func() { _ = in.Close(); n.reap(process) })
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == "READY" {
				close(c)
				return
			}
		}
	}()
	return c
}

// kill ends the node as a power cut would.
func (n *node) kill() { n.reap(n.process) }

func (n *node) reap(process *exec.Cmd) {
	_ = process.Process.Kill()
	_ = process.Wait()
}

type cluster struct {
	nodes     []*node
	endpoints []string
}

func newCluster(t *testing.T, size int) *cluster {
	c := &cluster{}
	sockets, err := os.MkdirTemp("", "etcd") // t.TempDir can be longer than a socket's name may be
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	var members []string
	for i := range size {
		// "host:port" is all that etcd reads of these, which are the names of files.
		n := &node{Name: fmt.Sprint("n", i), Dir: t.TempDir(), Sockets: sockets}
		n.Client, n.Peer = fmt.Sprintf("unix://client:%d", i), fmt.Sprintf("unix://peer:%d", i)
		c.nodes = append(c.nodes, n)
		c.endpoints = append(c.endpoints, "unix://"+filepath.Join(sockets, strings.TrimPrefix(n.Client, "unix://")))
		members = append(members, n.Name+"="+n.Peer)
	}
	var ready []<-chan struct{}
	for _, n := range c.nodes {
		n.Cluster = strings.Join(members, ",")
		ready = append(ready, n.start(t))
	}
	for _, r := range ready {
		within(t, 30*time.Second, r, "node ready")
	}
	return c
}

// client is one as the program makes it.
func (c *cluster) client(t *testing.T) *clientv3.Client {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: c.endpoints, DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
		Logger: zap.NewNop(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// leader is which node leads.
func (c *cluster) leader(t *testing.T, client *clientv3.Client) *node {
	for i, n := range c.nodes {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		st, err := client.Status(ctx, c.endpoints[i])
		cancel()
		if err == nil && st.Leader == st.Header.MemberId { // one may have been killed
			return n
		}
	}
	require.Fail(t, "nobody leads")
	return nil
}

func within(t *testing.T, d time.Duration, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(d):
		require.FailNow(t, "not in time: "+what)
	}
}
