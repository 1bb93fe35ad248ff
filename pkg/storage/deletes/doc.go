// Package deletes keeps delete requests and hides what they select.
//
// A request is an object of its own, written once; what else is known of it is in objects beside it:
//
//	<tenant>/deletes/<id>.json        the request
//	<tenant>/deletes/<id>.state.json  how much of it is carried out; written again by whoever compacts
//	<tenant>/deletes/<id>.ended.json  it hides nothing any more, because there is nothing left to hide
//
// and beside the tenants, for each process with a log on its own disk:
//
//	~logs/<id>.json                   until when its log is flushed: no request ends before
//
// Each holds JSON with a checksum: {"crc32c": …, "content": {…}}.
//
// A request selects entries by their timestamps, whenever they arrive, from the moment it is stored until it has ended. A snapshot leaves
// them out chunk by chunk, unless the chunk's segment was written by a compaction that had carried the request out, which its footer says.
//
// The package does not know the language of the requests: a Query is made of a request's text by whoever opens the Store.
package deletes
