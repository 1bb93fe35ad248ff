// Command clients CLIENT URL TOKEN FILE logs every line of FILE through a Go client. It prints only what goes wrong.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	kit "github.com/go-kit/kit/log"
	"github.com/go-kit/kit/log/level"
	"github.com/grafana/loki-client-go/loki"
	"github.com/grafana/loki-client-go/pkg/urlutil"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdk "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

func main() {
	if len(os.Args) != 5 {
		fail(fmt.Errorf("usage: clients CLIENT URL TOKEN FILE"))
	}
	client, target, token := os.Args[1], os.Args[2], os.Args[3]
	text, err := os.ReadFile(os.Args[4])
	fail(err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	switch client {
	case "loki-client-go":
		fail(sendLoki(client, target, token, lines))
	case "otlploghttp":
		fail(sendOTLP(client, target, token, lines))
	default:
		fail(fmt.Errorf("no client %q", client))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sendLoki(agent, target, token string, lines []string) error {
	address, err := url.Parse(target + "/loki/api/v1/push")
	if err != nil {
		return err
	}
	settings, err := loki.NewDefaultConfig("http://unused")
	if err != nil {
		return err
	}
	settings.URL = urlutil.URLValue{URL: address}
	settings.BatchSize = 256 << 10
	settings.Client = config.HTTPClientConfig{BearerToken: config.Secret(token)}
	client, err := loki.NewWithLogger(settings, level.NewFilter(kit.NewLogfmtLogger(os.Stdout), level.AllowError()))
	if err != nil {
		return err
	}
	for _, line := range lines {
		if err := client.Handle(model.LabelSet{"agent": model.LabelValue(agent)}, time.Now(), line); err != nil {
			return err
		}
	}
	client.Stop()
	return nil
}

func sendOTLP(agent, target, token string, lines []string) error {
	ctx := context.Background()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(fail))
	exporter, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(target+"/otlp/v1/logs"), otlploghttp.WithCompression(otlploghttp.GzipCompression),
		otlploghttp.WithHeaders(map[string]string{"Authorization": "Bearer " + token}))
	if err != nil {
		return err
	}
	provider := sdk.NewLoggerProvider(
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", agent), attribute.String("host.name", "test"))),
		sdk.WithProcessor(sdk.NewBatchProcessor(exporter, sdk.WithMaxQueueSize(len(lines)+1))),
	)
	logger := provider.Logger("agents")
	for i, line := range lines {
		var record log.Record
		record.SetTimestamp(time.Now())
		record.SetSeverity(log.SeverityInfo)
		record.SetSeverityText("INFO")
		record.SetBody(attribute.StringValue(line))
		record.AddAttributes(attribute.Int("number", i))
		logger.Emit(ctx, record)
	}
	return provider.Shutdown(ctx)
}
