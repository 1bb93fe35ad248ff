package ci

// benchPage stands before the sections of docs/benchmarks.md.
const benchPage = `# Benchmarks

    CAMBIUM_BENCH_WRITE=1 CAMBIUM_BENCH_BYTES=%s go tool mage bench

CAMBIUM_BENCH_BYTES says how many bytes of lines are measured with; without it 64 MiB. CAMBIUM_BENCH_ONLY names the parts to run: pushing, finding,
storage. Every number stands beside a floor of the same run: what the same machine needs for the part of the work that cannot be left out. Ratios
mean something on any machine; the rates below come from a virtual machine of two cores that had other work to do. MB are millions of bytes of
log lines.

The lines are those of a generator: the 16 sample logs with their variables changed at random, and access logs in JSON and logfmt, of 18 systems
on 8 hosts over six hours. Each host gathers 1 MiB and pushes it.
`

const pushingPage = `## Pushing, scanning, memory

Pushing has the floor of writing as many bytes to a file, with an fsync after each push where the push has one. Measured with the first 256 MiB of
lines at most.

%s`

const findingPage = `## Storing and finding

Everything here but pushing runs on one core, and times are CPU time, the best of a few runs.

The pushes go in the order of the generator through the same steps as an instance's: decoded, checked, logged, into a head of 96 MiB that is flushed
when it is half full; after each flush there is a round of compaction, and after the last one rounds until there is nothing left to do, as when the
day is over. Queries and sizes are of what is then in the bucket.

- *stored* is the whole segment: chunks with timestamps, skip filters, index, directory. What snappy and zstd are given is the lines
  alone, in blocks of 1 MiB; nanosecond timestamps that lines do not repeat are random to any encoding, and count for one side only.
  The samples are 2000 lines each, a fraction of a chunk. zstd is github.com/klauspost/compress: level 3 is its SpeedDefault; its best is
  SpeedBestCompression, which stands for levels above 11 and is not as thorough as the reference's level 19.
- *a file of the lines* is what the generator writes down line by line: lines of all systems and hosts, mixed, in order of time. Compressing that is the
  floor. *In the order of the pushes* the lines of a stream stand together within each push. *Each stream by itself* is the hardest to beat:
  whoever compresses that has already sorted the lines by stream, as the store does.
- *encode* is cutting lines into templates and columns, compressing those, and making the skip filter; *decode* is rebuilding every line.
  For the whole workload each chunk is encoded twice, as each block of zstd's is compressed twice, and the lesser time counts: garbage of the
  benchmark's own falls on either now and then.
- The queries run over the compacted store without a result cache, except where they are asked again. *bytes read* come from the bucket, and
  *pruned* are chunks that a skip filter ruled out. *lines in memory* looks for the query's literal in lines in memory with bytes.Index, 16 MiB of
  each system, and counts it for all; *zstd and scan* decompresses all blocks of the file of lines first, and matches the pattern line by line where there
  is one. For json and logfmt it is the same query over plain chunks, where every line is decompressed and parsed. × is how many times longer the
  floor takes than the query.
- A text shorter than 16 bytes has no skip filter: such queries read every chunk and are decided on templates and dictionaries.
- *until acknowledged* is what the pushing thread does: encoding comes behind it, on another core where there is one.

%s`

const storagePage = `## Storage

What an instance does beside taking pushes and answering queries, with as much of the lines as each part needs. *Storing and finding* has flushing
and compaction of all of them, and the write amplification.

- *Replay* is opening an engine on a log with as much as the head takes at most; segments and their number do not matter for it.
- *Merging* is one round of compaction over four segments, on one core: of few streams, whose chunks are large and copied as they are, and of
  all, whose chunks are small, decoded and encoded again.
- The many streams are one container's each, with five labels; every one is pushed to three times. Resident memory is that of a process which
  does all of it, with the settings of an instance.
- The many segments are in a hundred days and tiny: what is measured is finding them, not reading them. A start lists nothing, and a query the days
  it is about.
- *Queries on S3* go to a real S3 server on this machine, with 320,000 lines in 16 segments that nothing has compacted. The process has just
  started, but for *open*, where it has answered the same before. *Cold* has an empty cache on the disk, *warm* what an earlier process left there.
  A network adds its round trips: the requests of a query go eight at a time.
- *Requests* are counted in simulated time, in front of the store and behind the cache on the disk, with the background work of one process on the
  bucket. A push has 200 lines, but for the first. [operations.md](operations.md#what-a-bucket-costs) says what that costs.

%s`
