package httpapi

import (
	"net/http"
)

// Those who scale a store down ask it to leave nothing behind in a process. Here that is a flush: what is acknowledged is durable anyhow, and
// after a flush it is in the bucket, where every other process finds it.

// preparedShutdown serves GET /ingester/prepare_shutdown: whether a preparation was asked for.
func (c *call) preparedShutdown() error {
	text := "unset"
	if c.api.prepared.Load() {
		text = "set"
	}
	c.text(http.StatusOK, text)
	return nil
}

// prepareShutdown serves POST /ingester/prepare_shutdown. The flush is done when it answers; what is pushed later needs another one.
func (c *call) prepareShutdown() error {
	if err := c.flush(); err != nil {
		return err
	}
	c.api.prepared.Store(true)
	return nil
}

// cancelShutdown serves DELETE /ingester/prepare_shutdown.
func (c *call) cancelShutdown() error {
	c.api.prepared.Store(false)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// shutdown serves /ingester/shutdown. It flushes, unless flush=false. Ending the process is its owner's business: Grafana's, or a
// supervisor's, who would start it again.
func (c *call) shutdown() error {
	if err := c.form(); err != nil {
		return err
	}
	if terminate := c.value("terminate"); terminate != "false" {
		return badRequest("this process does not end itself: ask with terminate=false, and stop it when the answer is there")
	}
	if c.value("flush") == "false" {
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return c.flush()
}

// memberlist serves /memberlist.
func (c *call) memberlist() error {
	c.text(http.StatusOK, "This instance doesn't use memberlist.\n")
	return nil
}
