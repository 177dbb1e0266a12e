// prometheus-adapter for the tests: the packages of its release that read rules, ask Prometheus and answer the custom
// metrics API. The release's own command does not compile with the Kubernetes libraries of the control plane, which
// are compiled already and make this a matter of seconds; so its flags that the tests need are wired here.
package main

import (
	"context"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"k8s.io/apiserver/pkg/server"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/cmd"
	"sigs.k8s.io/prometheus-adapter/pkg/client"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
	provider "sigs.k8s.io/prometheus-adapter/pkg/custom-provider"
	"sigs.k8s.io/prometheus-adapter/pkg/naming"
)

// The release tells Prometheus the time that is left to the call, counted the wrong way round: newer libraries give each
// call a deadline, and Prometheus takes no negative duration.
type withoutTimeout struct{ client.GenericAPIClient }

func (api withoutTimeout) Do(ctx context.Context, verb, path string, query url.Values) (client.APIResponse, error) {
	query.Del("timeout")
	return api.GenericAPIClient.Do(ctx, verb, path, query)
}

func main() {
	adapter := &cmd.AdapterBase{Name: "prometheus-metrics-adapter"}
	prometheusURL := adapter.Flags().String("prometheus-url", "", "Where Prometheus answers.")
	rules := adapter.Flags().String("config", "", "File with the rules.")
	relist := adapter.Flags().Duration("metrics-relist-interval", 10*time.Minute, "How often Prometheus is asked for its series.")
	if err := run(adapter, prometheusURL, rules, relist); err != nil {
		log.Fatal(err)
	}
}

func run(adapter *cmd.AdapterBase, prometheusURL, rules *string, relist *time.Duration) error {
	if err := adapter.Flags().Parse(os.Args[1:]); err != nil {
		return err
	}
	discovery, err := config.FromFile(*rules)
	if err != nil {
		return err
	}
	address, err := url.Parse(*prometheusURL)
	if err != nil {
		return err
	}
	mapper, err := adapter.RESTMapper()
	if err != nil {
		return err
	}
	kube, err := adapter.DynamicClient()
	if err != nil {
		return err
	}
	namers, err := naming.NamersFromConfig(discovery.Rules, mapper)
	if err != nil {
		return err
	}
	api := withoutTimeout{client.NewGenericAPIClient(http.DefaultClient, address, nil)}
	prometheus := client.NewClientForAPI(api, http.MethodGet)
	source, lister := provider.NewPrometheusProvider(mapper, kube, prometheus, namers, *relist, *relist)
	stop := server.SetupSignalContext()
	lister.RunUntil(stop.Done())
	adapter.WithCustomMetrics(source)
	return adapter.Run(stop)
}
