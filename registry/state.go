package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The state file is JSON: {"version": 2, "crc32c": C, "registrations": [{"name", "host", "port" or "path", "since",
// "seen"}]}. C is the CRC-32C of the bytes of the array, so that a damaged file is noticed. Version 1, which had none,
// is read too.

const (
	stateVersion = 2
	// stateInterval is how long the file may be behind. Large tables are written less often: at most a twentieth of the
	// time.
	stateInterval = 5 * time.Second
	maxStateFile  = 1 << 30
)

type stateDocument struct {
	Version       int             `json:"version"`
	Checksum      uint32          `json:"crc32c"`
	Registrations json.RawMessage `json:"registrations"`
}

func stateChecksum(registrations []byte) uint32 {
	return crc32.Checksum(registrations, crc32.MakeTable(crc32.Castagnoli))
}

type stateEntry struct {
	Name  string    `json:"name"`
	Host  string    `json:"host"`
	Port  int       `json:"port,omitempty"`
	Path  string    `json:"path,omitempty"`
	Since time.Time `json:"since"`
	Seen  time.Time `json:"seen"`
}

// stateFile writes a table to a file whenever it has changed.
type stateFile struct {
	path   string
	memory *Memory
	log    *slog.Logger
	stop   chan struct{}
	once   sync.Once
	done   chan struct{} // closed when the writing goroutine has ended
	saved  uint64        // of Memory.changes
}

// openState fills the table from the file, as far as there is one that can be understood, and begins to keep it. It
// fails if no file can be written there.
func openState(path string, m *Memory, log *slog.Logger) (*stateFile, error) {
	probe, err := createBeside(path)
	if err != nil {
		return nil, err
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	f := &stateFile{path: path, memory: m, log: log, stop: make(chan struct{}), done: make(chan struct{})}
	switch n, err := m.load(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		log.Error("state file not usable, beginning empty", "file", path, "error", err)
		if err := os.Rename(path, path+".corrupt"); err == nil {
			log.Error("state file set aside", "file", path+".corrupt")
		}
	default:
		log.Info("state file read", "file", path, "registrations", n)
	}
	f.saved = m.changes.Load()
	go f.run()
	return f, nil
}

// createBeside makes a temporary file in the directory of path, which can be renamed to path.
func createBeside(path string) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("registry: state file: %w", err)
	}
	return f, nil
}

func (f *stateFile) run() {
	defer close(f.done)
	pause := stateInterval
	for {
		select {
		case <-f.stop:
			return
		case <-time.After(pause):
		}
		begin := time.Now()
		if err := f.save(); err != nil {
			f.log.Error("state file not written", "file", f.path, "error", err)
		}
		pause = max(stateInterval, 20*time.Since(begin))
	}
}

// close writes the last state.
func (f *stateFile) close() error {
	f.once.Do(func() { close(f.stop) })
	<-f.done
	return f.save()
}

// save writes the file if anything has changed.
func (f *stateFile) save() error {
	changes := f.memory.changes.Load()
	if changes == f.saved {
		return nil
	}
	if err := f.memory.save(f.path); err != nil {
		return err
	}
	f.saved = changes
	return nil
}

// save writes the table to a file, which has either the old or the new contents at any time.
func (m *Memory) save(path string) error {
	entries := []stateEntry{}
	for _, r := range m.all() {
		entries = append(entries, stateEntry{
			r.Name, r.Endpoint.Host, r.Endpoint.Port, r.Endpoint.Path, wall(r.Since), wall(r.Seen),
		})
	}
	array, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("registry: state file: %w", err)
	}
	tmp, err := createBeside(path)
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err = json.NewEncoder(tmp).Encode(stateDocument{stateVersion, stateChecksum(array), array}); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("registry: state file: %w", err)
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // so that the new name survives a loss of power
		_ = dir.Close()
	}
	return nil
}

// wall is the time of the clock on the wall: the monotonic one means nothing to the next process.
func wall(t time.Time) time.Time { return t.Round(0).UTC() }

// load fills an empty table from a file and returns how many registrations it took. If the file is not usable in any
// point, it takes none.
func (m *Memory) load(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if st, err := file.Stat(); err != nil {
		return 0, err
	} else if !st.Mode().IsRegular() || st.Size() > maxStateFile {
		return 0, fmt.Errorf("not a file of at most %d bytes", maxStateFile)
	}
	var doc stateDocument
	dec := json.NewDecoder(file)
	if err := dec.Decode(&doc); err != nil {
		return 0, err
	}
	if dec.More() {
		return 0, errors.New("something follows the document")
	}
	switch doc.Version {
	case stateVersion:
		if sum := stateChecksum(doc.Registrations); sum != doc.Checksum {
			return 0, fmt.Errorf("its checksum is %d, not %d", sum, doc.Checksum)
		}
	case 1:
	default:
		return 0, fmt.Errorf("version %d, not %d", doc.Version, stateVersion)
	}
	var entries []stateEntry
	if err := json.Unmarshal(doc.Registrations, &entries); err != nil {
		return 0, err
	}
	for _, e := range entries {
		if e.Host == "" || (e.Path != "" && e.Port != 0) || e.Port < 0 || e.Port > 65535 || e.Seen.IsZero() {
			return 0, fmt.Errorf("registration of %q at %q is not valid", e.Name, e.Host)
		}
	}
	slices.SortStableFunc(entries, func(a, b stateEntry) int { return a.Seen.Compare(b.Seen) })
	m.mu.Lock()
	defer m.mu.Unlock()
	taken, now := 0, time.Now()
	for _, e := range entries {
		// A clock that was set back must not make registrations live longer than new ones.
		age := max(0, wall(now).Sub(e.Seen))
		if age > m.timeout {
			continue
		}
		seen := now.Sub(m.start) - age
		since := seen - max(0, e.Seen.Sub(e.Since))
		// What the limits, perhaps lower now, have no room for is left out.
		if m.put([]string{Upper(e.Name)}, Endpoint{Host: e.Host, Port: e.Port, Path: e.Path}, since, seen) == nil {
			taken++
		}
	}
	return taken, nil
}
