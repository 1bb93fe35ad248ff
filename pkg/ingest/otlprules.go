package ingest

import (
	"regexp"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// defaultIndexAttributes are the resource attributes that become labels unless a tenant says otherwise.
var defaultIndexAttributes = []string{
	"service.name", "service.namespace", "service.instance.id", "deployment.environment", "deployment.environment.name", "cloud.region",
	"cloud.availability_zone", "k8s.cluster.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name", "container.name",
	"k8s.replicaset.name", "k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name",
}

type attributeAction int

const (
	actionMetadata attributeAction = iota
	actionIndex
	actionDrop
)

// otlpRules say what becomes of attributes. They belong to one version of a tenant's limits.
type otlpRules struct {
	resource, scope, log *attributeRules
	severityAsLabel      bool
}

func newOTLPRules(c *tenant.OTLPConfig) *otlpRules {
	rules := &otlpRules{
		resource: newAttributeRules(c.ResourceAttributes.AttributesConfig), scope: newAttributeRules(c.ScopeAttributes),
		log: newAttributeRules(c.LogAttributes), severityAsLabel: c.SeverityTextAsLabel,
	}
	if !c.ResourceAttributes.IgnoreDefaults {
		for _, name := range defaultIndexAttributes {
			if _, set := rules.resource.named[name]; !set {
				rules.resource.named[name] = actionIndex
			}
		}
	}
	return rules
}

// attributeRules choose an action by name, or else by the first pattern that matches.
type attributeRules struct {
	named    map[string]attributeAction
	patterns []attributePattern
}

type attributePattern struct {
	re     *regexp.Regexp
	action attributeAction
}

func newAttributeRules(config []tenant.AttributeRule) *attributeRules {
	rules := &attributeRules{named: map[string]attributeAction{}}
	for _, c := range config {
		action := actionMetadata
		switch c.Action {
		case tenant.ActionIndexLabel:
			action = actionIndex
		case tenant.ActionDrop:
			action = actionDrop
		}
		for _, name := range c.Attributes {
			if _, set := rules.named[name]; !set {
				rules.named[name] = action
			}
		}
		if c.Regex != "" {
			if re, err := regexp.Compile("^(?:" + c.Regex + ")$"); err == nil {
				rules.patterns = append(rules.patterns, attributePattern{re, action})
			}
		}
	}
	return rules
}

func (r *attributeRules) action(name string) attributeAction {
	if action, ok := r.named[name]; ok {
		return action
	}
	for _, p := range r.patterns {
		if p.re.MatchString(name) {
			return p.action
		}
	}
	return actionMetadata
}
