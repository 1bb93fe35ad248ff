package bucket

import (
	"cmp"
	lru "container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// CacheOptions say where ranges of objects are kept that were read from a bucket.
type CacheOptions struct {
	// Dir is a directory for the cache alone. It may be lost at any time, and processes may share it.
	Dir string
	// MaxBytes bounds what the files take on the disk.
	MaxBytes int64
}

// diskCache keeps ranges of objects, which never change, in files:
//
//	<dir>/ranges/<object>/<offset>-<length>   magic, CRC32C of name, offset and content; content
//	<dir>/ranges/<object>/size                the same, with the object's size as content
//	<dir>/tmp/                                files that are being written
//
// Nothing is synced: a file that a crash cut short has a wrong checksum and is dropped when it is read. The least recently used go first; when
// a file was used last is its modification time, more or less, so that a restart keeps the order.
type diskCache struct {
	dir     string
	budget  int64
	metrics *cacheMetrics

	mu      sync.Mutex // guards what follows
	objects map[string]map[span]*lru.Element
	dirs    map[string]map[string]struct{} // the objects of a directory, which ends with the delimiter
	recent  *lru.List                      // of *cacheFile, most recently used first
	bytes   int64
}

// span is a range of an object's bytes. The one of negative length is its size.
type span struct{ offset, length int64 }

var sizeSpan = span{0, -1}

func (s span) file() string {
	if s == sizeSpan {
		return "size"
	}
	return strconv.FormatInt(s.offset, 10) + "-" + strconv.FormatInt(s.length, 10)
}

func parseSpan(file string) (span, bool) {
	if file == "size" {
		return sizeSpan, true
	}
	offset, length, ok := strings.Cut(file, "-")
	s := span{}
	var err1, err2 error
	s.offset, err1 = strconv.ParseInt(offset, 10, 64)
	s.length, err2 = strconv.ParseInt(length, 10, 64)
	return s, ok && err1 == nil && err2 == nil && s.offset >= 0 && s.length > 0 && s.file() == file
}

// cacheFile is a file of the cache.
type cacheFile struct {
	object  string
	span    span
	bytes   int64 // on the disk
	touched time.Time
}

const (
	cacheMagic  = "CMC1"
	cacheHeader = 8
	// touchEvery is how often a file's time is set to when it was used.
	touchEvery = 10 * time.Minute
	// fileBlock is what files take on a disk at least.
	fileBlock = 4096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openCache opens a cache with what an earlier process left in it.
func openCache(opts CacheOptions, reg prometheus.Registerer) (*diskCache, error) {
	c := &diskCache{
		dir: opts.Dir, budget: opts.MaxBytes, metrics: newCacheMetrics(reg),
		objects: map[string]map[span]*lru.Element{}, dirs: map[string]map[string]struct{}{}, recent: lru.New(),
	}
	for _, d := range []string{c.rangesDir(), c.tmpDir()} {
		if err := os.MkdirAll(d, dirMode); err != nil {
			return nil, fmt.Errorf("open the cache of the bucket: %w", err)
		}
	}
	removeOlder(c.tmpDir(), time.Now().Add(-time.Hour))
	if err := c.scan(); err != nil {
		return nil, fmt.Errorf("open the cache of the bucket: %w", err)
	}
	c.mu.Lock()
	victims := c.shrink()
	c.mu.Unlock()
	c.remove(victims)
	return c, nil
}

func (c *diskCache) rangesDir() string { return filepath.Join(c.dir, "ranges") }
func (c *diskCache) tmpDir() string    { return filepath.Join(c.dir, "tmp") }

func (c *diskCache) path(object string, s span) string {
	return filepath.Join(c.rangesDir(), filepath.FromSlash(object), s.file())
}

// scan finds the files that are there.
func (c *diskCache) scan() error {
	var files []cacheFile
	err := filepath.WalkDir(c.rangesDir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		rel, err := filepath.Rel(c.rangesDir(), filepath.Dir(path))
		s, ok := parseSpan(d.Name())
		info, ierr := d.Info()
		if err != nil || !ok || ierr != nil || !cacheable(filepath.ToSlash(rel)) {
			return nil
		}
		files = append(files, cacheFile{filepath.ToSlash(rel), s, onDisk(info.Size()), info.ModTime()})
		return nil
	})
	slices.SortFunc(files, func(a, b cacheFile) int { return cmp.Compare(a.touched.UnixNano(), b.touched.UnixNano()) })
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range files {
		c.add(&files[i])
	}
	return err
}

func onDisk(size int64) int64 { return (size + fileBlock - 1) / fileBlock * fileBlock }

// add enters a file as the most recently used one. The lock is held.
func (c *diskCache) add(f *cacheFile) {
	spans := c.objects[f.object]
	if spans == nil {
		spans = map[span]*lru.Element{}
		c.objects[f.object] = spans
		dir := dirOf(f.object)
		if c.dirs[dir] == nil {
			c.dirs[dir] = map[string]struct{}{}
		}
		c.dirs[dir][f.object] = struct{}{}
	}
	if old := spans[f.span]; old != nil {
		c.drop(old)
		c.add(f)
		return
	}
	spans[f.span] = c.recent.PushFront(f)
	c.bytes += f.bytes
	c.metrics.bytes.Set(float64(c.bytes))
}

// drop forgets a file. The lock is held.
func (c *diskCache) drop(e *lru.Element) *cacheFile {
	f := c.recent.Remove(e).(*cacheFile)
	spans := c.objects[f.object]
	delete(spans, f.span)
	if len(spans) == 0 {
		delete(c.objects, f.object)
		dir := dirOf(f.object)
		if delete(c.dirs[dir], f.object); len(c.dirs[dir]) == 0 {
			delete(c.dirs, dir)
		}
	}
	c.bytes -= f.bytes
	c.metrics.bytes.Set(float64(c.bytes))
	return f
}

// shrink forgets the least recently used files until the rest is within the budget. The lock is held; the files are the caller's to remove.
func (c *diskCache) shrink() (victims []*cacheFile) {
	for c.bytes > c.budget {
		f := c.drop(c.recent.Back())
		c.metrics.evicted.Add(float64(f.bytes))
		victims = append(victims, f)
	}
	return victims
}

// remove removes files that were dropped, and directories that they leave empty.
func (c *diskCache) remove(files []*cacheFile) {
	for _, f := range files {
		path := c.path(f.object, f.span)
		_ = os.Remove(path)
		for dir := filepath.Dir(path); dir != c.rangesDir() && os.Remove(dir) == nil; dir = filepath.Dir(dir) {
		}
	}
}

func cacheSum(object string, s span, content []byte) uint32 {
	key := make([]byte, 0, len(object)+16)
	key = append(key, object...)
	key = binary.LittleEndian.AppendUint64(key, uint64(s.offset))
	key = binary.LittleEndian.AppendUint64(key, uint64(s.length))
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, content)
}

// get gives a range that is kept.
func (c *diskCache) get(object string, s span) ([]byte, bool) {
	c.mu.Lock()
	e := c.objects[object][s]
	touch := false
	if e != nil {
		c.recent.MoveToFront(e)
		f := e.Value.(*cacheFile)
		if now := time.Now(); now.Sub(f.touched) > touchEvery {
			f.touched, touch = now, true
		}
	}
	c.mu.Unlock()
	if e == nil {
		return nil, false
	}
	path := c.path(object, s)
	b, err := os.ReadFile(path)
	sound := err == nil && len(b) >= cacheHeader && string(b[:4]) == cacheMagic && (s.length < 0 || int64(len(b)) == cacheHeader+s.length) &&
		binary.LittleEndian.Uint32(b[4:]) == cacheSum(object, s, b[cacheHeader:])
	if !sound {
		if err == nil {
			c.metrics.damaged.Inc()
		}
		c.forget(object, s)
		return nil, false
	}
	if touch {
		_ = os.Chtimes(path, time.Time{}, time.Now())
	}
	return b[cacheHeader:], true
}

// forget drops one range.
func (c *diskCache) forget(object string, s span) {
	c.mu.Lock()
	var victims []*cacheFile
	if e := c.objects[object][s]; e != nil {
		victims = append(victims, c.drop(e))
	}
	c.mu.Unlock()
	c.remove(victims)
}

// put keeps a range. That it cannot be kept does no harm.
func (c *diskCache) put(object string, s span, content []byte) {
	size := onDisk(int64(len(content) + cacheHeader))
	if size > c.budget/4 {
		return
	}
	if err := c.write(object, s, content); err != nil {
		c.metrics.failures.Inc()
		return
	}
	c.mu.Lock()
	c.add(&cacheFile{object, s, size, time.Now()})
	victims := c.shrink()
	c.mu.Unlock()
	c.remove(victims)
}

func (c *diskCache) write(object string, s span, content []byte) error {
	f, err := os.CreateTemp(c.tmpDir(), "range-*")
	if err != nil {
		return err
	}
	var header [cacheHeader]byte
	copy(header[:], cacheMagic)
	binary.LittleEndian.PutUint32(header[4:], cacheSum(object, s, content))
	if _, err = f.Write(header[:]); err == nil {
		_, err = f.Write(content)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	path := c.path(object, s)
	// Another goroutine may remove a directory that is empty between making and using it.
	for try := 0; err == nil && try < maxPublishTries; try++ {
		if err = os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
			break
		}
		if err = os.Rename(f.Name(), path); err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	_ = os.Remove(f.Name())
	return cmp.Or(err, fs.ErrNotExist)
}

// discard drops everything of some objects.
func (c *diskCache) discard(objects ...string) {
	c.mu.Lock()
	var victims []*cacheFile
	for _, o := range objects {
		for _, e := range c.objects[o] {
			victims = append(victims, c.drop(e))
		}
	}
	c.mu.Unlock()
	c.remove(victims)
}

// retain drops what is kept of objects of a directory that do not exist any more: what was deleted from the bucket is to be gone here too.
func (c *diskCache) retain(dir string, exist map[string]struct{}) {
	c.mu.Lock()
	var gone []string
	for o := range c.dirs[dir] {
		if _, ok := exist[o]; !ok {
			gone = append(gone, o)
		}
	}
	c.mu.Unlock()
	c.discard(gone...)
}

// holds reports whether something of a directory's objects is kept.
func (c *diskCache) holds(dir string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.dirs[dir]) > 0
}

func dirOf(object string) string { return object[:strings.LastIndexByte(object, '/')+1] }

// cacheable reports whether an object never changes and has a name that can be a file's.
func cacheable(object string) bool {
	local := filepath.FromSlash(object)
	return strings.HasSuffix(object, ".seg") && filepath.IsLocal(local) && filepath.ToSlash(filepath.Clean(local)) == object
}

// removeOlder removes a directory's files that were last written before a time.
func removeOlder(dir string, before time.Time) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.ModTime().Before(before) {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
