package ingest

import (
	"bytes"
)

// otlpMessage is a message of OTLP logs: which of its fields are messages themselves.
type otlpMessage map[int32]otlpMessage

// otlpRequest is ExportLogsServiceRequest. Values and key-value pairs contain each other.
var otlpRequest = func() otlpMessage {
	value := otlpMessage{}
	pair := otlpMessage{2: value}
	value[5] = otlpMessage{1: value}
	value[6] = otlpMessage{1: pair}
	resource := otlpMessage{1: pair, 3: otlpMessage{}}
	scope := otlpMessage{3: pair}
	record := otlpMessage{5: value, 6: pair}
	return otlpMessage{1: {1: resource, 2: {1: scope, 2: record}}}
}()

// maxOTLPDepth is how deep messages may nest.
const maxOTLPDepth = 100

// checkOTLPProtobuf bounds what a message will take in memory before anything is allocated for it.
func checkOTLPProtobuf(body []byte, maxItems int) error {
	items := 0
	return checkOTLPMessage(wire{data: body}, otlpRequest, 0, &items, maxItems)
}

func checkOTLPMessage(w wire, message otlpMessage, depth int, items *int, maxItems int) error {
	if depth > maxOTLPDepth {
		return badRequest("OTLP message nests deeper than %d levels", maxOTLPDepth)
	}
	for !w.done() {
		field, kind, err := w.tag()
		if err != nil {
			return badRequest("%s", err)
		}
		inner, isMessage := message[field]
		if !isMessage || kind != kindBytes {
			if err := w.skip(kind); err != nil {
				return badRequest("%s", err)
			}
			continue
		}
		if *items++; *items > maxItems {
			return tooLarge("more than %d records and attributes", maxItems)
		}
		data, err := w.bytes(kind)
		if err != nil {
			return badRequest("%s", err)
		}
		if err := checkOTLPMessage(wire{data: data}, inner, depth+1, items, maxItems); err != nil {
			return err
		}
	}
	return nil
}

// checkOTLPJSON does the same for JSON.
func checkOTLPJSON(body []byte, maxItems int) error {
	if bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) > maxItems {
		return tooLarge("more than %d records and attributes", maxItems)
	}
	text := jsonText{data: body, arena: new(byteArena)}
	if _, err := text.skip(); err != nil {
		return err
	}
	return nil
}
