// Package plugin is Grafana's face of Cambium: it speaks the plugin protocol and turns Grafana's calls into calls of one database.
//
//	Run           the process: opens the embedded database, serves Grafana, syncs and exits in time
//	Instance      one data source: its settings, and the handlers of queries, resources, health and streams
//	Databases     open databases, shared by where their data lies and counted by reference
//	Settings      what a data source's page and its provisioning can set
//
// Grafana makes an instance of a data source at the first request and a new one when its settings change; the old one is disposed of some
// seconds later, so two live at once. What must outlive an instance belongs to a Database. An instance never fails to be made: what is
// wrong with its settings or its database is told by its calls, most readably by CheckHealth.
package plugin
