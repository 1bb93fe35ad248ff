package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cambium-logs/cambium/internal/loggen"
)

func main() {
	pushes := flag.String("pushes", "", "file of pushes to measure with; empty: made-up ones")
	size := flag.Int64("bytes", 64<<20, "bytes of made-up lines")
	plugin := flag.String("plugin", "", "the built plugin")
	flag.Parse()
	if err := run(context.Background(), *pushes, *size, *plugin); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is one line of the table.
type row struct{ what, value, floor, ratio string }

type table struct{ rows []row }

func (t *table) rate(what string, bytes int64, took, floor time.Duration) {
	r := row{what: what, value: fmt.Sprintf("%.0f MB/s", mbs(bytes, took))}
	if floor > 0 {
		r.floor = fmt.Sprintf("%.0f MB/s", mbs(bytes, floor))
		r.ratio = fmt.Sprintf("%.2f", mbs(bytes, took)/mbs(bytes, floor))
	}
	t.rows = append(t.rows, r)
}

func mbs(bytes int64, took time.Duration) float64 { return float64(bytes) / 1e6 / took.Seconds() }

func (t *table) print(c *corpus) {
	fmt.Printf("%d lines, %.0f MB, in %d streams and %d pushes; %s, %d cores, %s/%s.\n\n",
		c.lines, float64(c.raw)/1e6, len(c.texts), len(c.bodies), runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	fmt.Println("| what | measured | floor | of the floor |")
	fmt.Println("| --- | ---: | ---: | ---: |")
	for _, r := range t.rows {
		fmt.Printf("| %s | %s | %s | %s |\n", r.what, r.value, r.floor, r.ratio)
	}
}

func run(ctx context.Context, pushes string, size int64, plugin string) error {
	dir, err := os.MkdirTemp("", "cambium-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	to := time.Now().Truncate(time.Second)
	if pushes, err = loggen.Made(pushes, dir, loggen.Options{Bytes: size, Begin: to.Add(-6 * time.Hour), End: to}); err != nil {
		return err
	}
	c, err := readCorpus(pushes)
	if err != nil {
		return err
	}
	var t table
	if err := c.measurePush(ctx, &t, dir); err != nil {
		return err
	}
	if err := c.measureStore(ctx, &t, dir); err != nil {
		return err
	}
	if plugin != "" {
		if err := c.tellPlugin(ctx, &t, plugin, dir); err != nil {
			return err
		}
	}
	t.print(c)
	return nil
}

// measurePush pushes through decoding, log and head.
func (c *corpus) measurePush(ctx context.Context, t *table, dir string) error {
	for _, durable := range []bool{true, false} {
		sync, name := "none", "without fsync"
		if durable {
			sync, name = "batch", "with fsync"
		}
		floor, err := c.pushFloor(dir, durable)
		if err != nil {
			return err
		}
		for _, cores := range []int{1, 2} {
			if cores > runtime.NumCPU() {
				continue
			}
			at := filepath.Join(dir, fmt.Sprintf("push-%s-%d", sync, cores))
			err := withCores(cores, func() error {
				db, err := open(ctx, at, sync)
				if err != nil {
					return err
				}
				took, err := c.pushAll(cores, handlerSend(db.Handler()))
				if err != nil {
					return err
				}
				t.rate(fmt.Sprintf("push, %s, %d core(s): decode → log → head", name, cores), c.raw, took, floor)
				return db.Close(ctx)
			})
			if err != nil {
				return err
			}
			if err := os.RemoveAll(at); err != nil {
				return err
			}
		}
	}
	return nil
}

// measureStore measures HTTP, segments and scans over one store.
func (c *corpus) measureStore(ctx context.Context, t *table, dir string) error {
	db, err := open(ctx, filepath.Join(dir, "store"), "batch")
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	server := httptest.NewServer(asBench(db.Handler()))
	took, err := c.pushAll(runtime.NumCPU(), httpSend(server.URL))
	server.Close()
	if err != nil {
		return err
	}
	t.rate(fmt.Sprintf("push, with fsync, %d core(s), over HTTP", runtime.NumCPU()), c.raw, took, 0)

	began := time.Now()
	if err := db.Flush(ctx); err != nil {
		return err
	}
	built := time.Since(began)
	zstdBytes, zstdTook, err := c.zstdSize()
	if err != nil {
		return err
	}
	t.rate("segment build (floor: zstd -3 of the same lines, one core)", c.raw, built, zstdTook)
	status, err := db.TenantStatus(ctx, tenantID)
	if err != nil {
		return err
	}
	t.rows = append(t.rows, row{"bytes stored per raw byte (floor: zstd -3)", fmt.Sprintf("%.4f", float64(status.Bytes)/float64(c.raw)),
		fmt.Sprintf("%.4f", float64(zstdBytes)/float64(c.raw)), fmt.Sprintf("%.2f", float64(status.Bytes)/float64(zstdBytes))})
	for _, needle := range []string{"e", "error", "no such text anywhere"} {
		if err := c.measureScan(ctx, t, db.Query, needle); err != nil {
			return err
		}
	}
	return nil
}

// tellPlugin adds what is measured at the plugin's process.
func (c *corpus) tellPlugin(ctx context.Context, t *table, plugin, dir string) error {
	p, err := c.measurePlugin(ctx, plugin, dir)
	if err != nil {
		return err
	}
	t.rate("push, with fsync, one client, through the plugin's gRPC route", c.raw, p.push, 0)
	t.rows = append(t.rows,
		row{"resident memory, idle", fmt.Sprintf("%.0f MiB", p.idle), "60 MiB wanted", fmt.Sprintf("%.0f MiB of it is not the executable", p.anonymous)},
		row{"resident memory, peak while one client pushes", fmt.Sprintf("%.0f MiB", p.busy), "300 MiB wanted", ""},
		row{"resident memory, three seconds later", fmt.Sprintf("%.0f MiB", p.afterwards), "", ""})
	return nil
}

// httpSend pushes over a socket.
func httpSend(url string) func([]byte) error {
	return func(body []byte) error {
		response, err := http.Post(url+"/loki/api/v1/push", "application/x-protobuf", bytes.NewReader(body))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusNoContent {
			return fmt.Errorf("push: %s", response.Status)
		}
		return nil
	}
}
