package engine

import "github.com/cambium-logs/cambium/pkg/storage/deletes"

// CompileDelete makes a deletes.Query of the text of a delete request, for who reads an engine's bucket without the engine.
func CompileDelete(text string) (deletes.Query, error) { return CompileDelete(text) }
