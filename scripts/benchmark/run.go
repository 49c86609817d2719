package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// options are the flags of the command run.
type options struct {
	place
	quick  bool
	rounds int
	budget time.Duration // no round is begun that would exceed it; 0 for none
	json   string
	before string // the file with the baseline
	after  string // the file to write the next one to
	only   *regexp.Regexp
}

func parseOptions(args []string) (o options, err error) {
	fs := newFlags("run")
	fs.BoolVar(&o.quick, "quick", false, "measure for less than a minute")
	fs.IntVar(&o.rounds, "rounds", 0, "number of rounds; 0 means 3 if quick, 6 otherwise")
	fs.StringVar(&o.json, "json", "", "write all samples to `file`")
	fs.StringVar(&o.before, "baseline", "", "say what is worse than in `file`")
	fs.StringVar(&o.after, "write-baseline", "", "write CPU times, as multiples, to `file`")
	pattern := fs.String("only", "", "measure what matches the regular `expression`, as in gorpyc>gorpyc/sync@same, and "+
		"what it is compared to")
	fs.StringVar(&o.profileDir, "cpuprofile", "", "write CPU profiles of gorpyc's processes to `directory`")
	fs.StringVar(&o.python, "python", "python3", "`interpreter` with rpyc")
	fs.StringVar(&o.grpc, "grpc", "", "`program` that is gRPC's client and server; it is left out otherwise")
	fs.StringVar(&o.scripts, "scripts", "scripts/benchmark", "`directory` of the Python scripts")
	_ = fs.Parse(args)
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.only, err = regexp.Compile(*pattern); err != nil {
		return o, err
	}
	if o.rounds <= 0 {
		o.rounds, o.budget = 6, 330*time.Second
		if o.quick {
			o.rounds, o.budget = 3, 46*time.Second
		}
	}
	o.pin = findPin()
	if o.self, err = os.Executable(); err != nil {
		return o, err
	}
	if o.profileDir != "" {
		err = os.MkdirAll(o.profileDir, 0o755)
	}
	return o, err
}

// seconds is how long one measurement lasts.
func (o options) seconds() float64 {
	if o.quick {
		return 0.12
	}
	return 0.4
}

// run is the command of that name.
func run(args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	groups := only(plan(o.quick), o.only.MatchString)
	if o.pin == nil {
		fmt.Fprintln(os.Stderr, "benchmark: taskset cannot pin processes, \"same\" is left out")
		groups = only(groups, regexp.MustCompile("@"+free).MatchString)
	}
	if o.grpc == "" {
		fmt.Fprintln(os.Stderr, "benchmark: gRPC is left out")
		groups = only(groups, func(name string) bool { return !strings.HasPrefix(name, "grpc>") })
	}
	if len(groups) == 0 {
		return errors.New("nothing to measure")
	}
	res := newResults(groups)
	fmt.Printf("%s, %d CPUs%s\n", runtime.Version(), runtime.NumCPU(), loadAverage())
	start := time.Now()
	for round := range o.rounds {
		begun := time.Now()
		if err := o.oneRound(round, groups, res); err != nil {
			return err
		}
		took := time.Since(begun)
		fmt.Fprintf(os.Stderr, "round %d of %d took %.0f s\n", round+1, o.rounds, took.Seconds())
		if o.budget > 0 && time.Since(start)+took > o.budget && round+1 < o.rounds {
			fmt.Fprintln(os.Stderr, "no time for more rounds")
			break
		}
	}
	fmt.Printf("in the end%s; beside other work, trust ratios of CPU times rather than of rates\n", loadAverage())
	res.report(os.Stdout, o.quick)
	if o.before != "" {
		if err := res.compareBaseline(os.Stdout, o.before); err != nil {
			return err
		}
	}
	if o.after != "" {
		if err := res.writeBaseline(o.after); err != nil {
			return err
		}
	}
	if o.json != "" {
		return res.writeJSON(o.json)
	}
	return nil
}

// loadAverage says how busy the machine is, where that can be told.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	load, _, _ := strings.Cut(string(b), " ")
	return ", load average " + load
}

// oneRound goes through all groups by fresh processes, in an order of its own.
func (o options) oneRound(round int, groups []group, res *results) error {
	o.place.round = round
	f := newFleet(o.place)
	defer f.stop()
	var todo []int
	for i, g := range groups {
		if o.quick && (g.slow || g.spare && round > 0) || g.slow && round > 0 {
			continue
		}
		for range g.times {
			todo = append(todo, i)
		}
	}
	shuffle(todo)
	for _, i := range todo {
		exps := slices.Clone(groups[i].exps)
		shuffle(exps)
		s := make(set)
		for _, e := range exps {
			got, err := f.measure(e, o.seconds())
			if err != nil {
				return err
			}
			s[e.key()] = got
		}
		res.add(i, round, s)
	}
	return nil
}

func shuffle[T any](s []T) { rand.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) }
