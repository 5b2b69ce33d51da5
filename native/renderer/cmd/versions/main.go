// versions prints helm's default API versions. Run it with the replace of client-go taken out of go.mod
// (go run -modfile=full.mod ./cmd/versions) to refresh stubs/client-go's list.
package main

import (
	"fmt"
	"os"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
)

func main() {
	for _, v := range common.DefaultVersionSet {
		if !strings.HasPrefix(v, "apiextensions.k8s.io/") { // helm adds these itself
			fmt.Println(v)
		}
	}
	fmt.Fprintf(os.Stderr, "%+v %+v\n", common.DefaultCapabilities.KubeVersion, common.DefaultCapabilities.HelmVersion)
}
