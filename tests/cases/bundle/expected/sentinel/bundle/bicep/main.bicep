// Made by rulec 0.1.0: 2 analytics rules of Microsoft Sentinel.
// az deployment group create --resource-group GROUP --template-file THIS --parameters workspace=NAME

@description('The Log Analytics workspace that Sentinel is enabled on.')
param workspace string

var rules = loadJsonContent('rules.json')

resource logs 'Microsoft.OperationalInsights/workspaces@2022-10-01' existing = {
  name: workspace
}

resource alertRules1 'Microsoft.SecurityInsights/alertRules@2025-07-01-preview' = [for rule in filter(rules, each => each.apiVersion == '2025-07-01-preview'): {
  scope: logs
  name: rule.name
  kind: rule.kind
  properties: rule.properties
}]

resource alertRules2 'Microsoft.SecurityInsights/alertRules@2025-09-01' = [for rule in filter(rules, each => each.apiVersion == '2025-09-01'): {
  scope: logs
  name: rule.name
  kind: rule.kind
  properties: rule.properties
}]
