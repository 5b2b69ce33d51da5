// Made by tools/kind-types.ts from the declarations of Kubernetes 1.37.2: do not change it here.

/** One built-in kind a line: apiVersion, kind, type, and `cluster` where it has no namespace. */
export const KIND_LINES = `
admissionregistration.k8s.io/v1 MutatingAdmissionPolicy admissionregistration/v1.MutatingAdmissionPolicy cluster
admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding admissionregistration/v1.MutatingAdmissionPolicyBinding cluster
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration admissionregistration/v1.MutatingWebhookConfiguration cluster
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy admissionregistration/v1.ValidatingAdmissionPolicy cluster
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding admissionregistration/v1.ValidatingAdmissionPolicyBinding cluster
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration admissionregistration/v1.ValidatingWebhookConfiguration cluster
apiextensions.k8s.io/v1 CustomResourceDefinition apiextensions/v1.CustomResourceDefinition cluster
apps/v1 ControllerRevision apps/v1.ControllerRevision
apps/v1 DaemonSet apps/v1.DaemonSet
apps/v1 Deployment apps/v1.Deployment
apps/v1 ReplicaSet apps/v1.ReplicaSet
apps/v1 StatefulSet apps/v1.StatefulSet
autoscaling/v1 HorizontalPodAutoscaler autoscaling/v1.HorizontalPodAutoscaler
autoscaling/v2 HorizontalPodAutoscaler autoscaling/v2.HorizontalPodAutoscaler
batch/v1 CronJob batch/v1.CronJob
batch/v1 Job batch/v1.Job
certificates.k8s.io/v1 CertificateSigningRequest certificates/v1.CertificateSigningRequest cluster
certificates.k8s.io/v1 ClusterTrustBundle certificates/v1.ClusterTrustBundle cluster
certificates.k8s.io/v1 PodCertificateRequest certificates/v1.PodCertificateRequest
coordination.k8s.io/v1 Lease coordination/v1.Lease
discovery.k8s.io/v1 EndpointSlice discovery/v1.EndpointSlice
flowcontrol.apiserver.k8s.io/v1 FlowSchema flowcontrol/v1.FlowSchema cluster
flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration flowcontrol/v1.PriorityLevelConfiguration cluster
networking.k8s.io/v1 IPAddress networking/v1.IPAddress cluster
networking.k8s.io/v1 Ingress networking/v1.Ingress
networking.k8s.io/v1 IngressClass networking/v1.IngressClass cluster
networking.k8s.io/v1 NetworkPolicy networking/v1.NetworkPolicy
networking.k8s.io/v1 ServiceCIDR networking/v1.ServiceCIDR cluster
node.k8s.io/v1 RuntimeClass node/v1.RuntimeClass cluster
policy/v1 Eviction policy/v1.Eviction
policy/v1 PodDisruptionBudget policy/v1.PodDisruptionBudget
rbac.authorization.k8s.io/v1 ClusterRole rbac/v1.ClusterRole cluster
rbac.authorization.k8s.io/v1 ClusterRoleBinding rbac/v1.ClusterRoleBinding cluster
rbac.authorization.k8s.io/v1 Role rbac/v1.Role
rbac.authorization.k8s.io/v1 RoleBinding rbac/v1.RoleBinding
resource.k8s.io/v1 DeviceClass resource/v1.DeviceClass cluster
resource.k8s.io/v1 DeviceTaintRule resource/v1.DeviceTaintRule cluster
resource.k8s.io/v1 ResourceClaim resource/v1.ResourceClaim
resource.k8s.io/v1 ResourceClaimTemplate resource/v1.ResourceClaimTemplate
resource.k8s.io/v1 ResourceSlice resource/v1.ResourceSlice cluster
scheduling.k8s.io/v1 PriorityClass scheduling/v1.PriorityClass cluster
storage.k8s.io/v1 CSIDriver storage/v1.CSIDriver cluster
storage.k8s.io/v1 CSINode storage/v1.CSINode cluster
storage.k8s.io/v1 CSIStorageCapacity storage/v1.CSIStorageCapacity
storage.k8s.io/v1 StorageClass storage/v1.StorageClass cluster
storage.k8s.io/v1 VolumeAttachment storage/v1.VolumeAttachment cluster
storage.k8s.io/v1 VolumeAttributesClass storage/v1.VolumeAttributesClass cluster
storagemigration.k8s.io/v1 StorageVersionMigration storagemigration/v1.StorageVersionMigration cluster
v1 ComponentStatus core/v1.ComponentStatus cluster
v1 ConfigMap core/v1.ConfigMap
v1 Endpoints core/v1.Endpoints
v1 LimitRange core/v1.LimitRange
v1 Namespace core/v1.Namespace cluster
v1 Node core/v1.Node cluster
v1 PersistentVolume core/v1.PersistentVolume cluster
v1 PersistentVolumeClaim core/v1.PersistentVolumeClaim
v1 Pod core/v1.Pod
v1 PodTemplate core/v1.PodTemplate
v1 ReplicationController core/v1.ReplicationController
v1 ResourceQuota core/v1.ResourceQuota
v1 Secret core/v1.Secret
v1 Service core/v1.Service
v1 ServiceAccount core/v1.ServiceAccount
`;

/**
 * One type a line: its name, then its fields as `name:code`. A code is `s` text, `i` whole number, `n` number, `b`
 * yes or no, `q` quantity, `x` number or text, `t` time, `y` base64, `j` anything, or the name of a type. In front of it:
 * `*` nothing and zero differ, `!` is always written, `[` list as one value, `{` set, `(a,b)` list by these keys, `<` map,
 * `^` map as one value. Behind it `=` and the default, where the declaration has one.
 */
export const TYPE_LINES = `
admissionregistration/v1.ApplyConfiguration expression:s
admissionregistration/v1.AuditAnnotation key:!s valueExpression:!s
admissionregistration/v1.JSONPatch expression:s
admissionregistration/v1.MatchCondition name:!s expression:!s
admissionregistration/v1.MatchResources namespaceSelector:*^meta/v1.LabelSelector objectSelector:*^meta/v1.LabelSelector resourceRules:[^admissionregistration/v1.NamedRuleWithOperations excludeResourceRules:[^admissionregistration/v1.NamedRuleWithOperations matchPolicy:*s
admissionregistration/v1.MutatingAdmissionPolicy metadata:meta/v1.ObjectMeta spec:admissionregistration/v1.MutatingAdmissionPolicySpec
admissionregistration/v1.MutatingAdmissionPolicyBinding metadata:meta/v1.ObjectMeta spec:admissionregistration/v1.MutatingAdmissionPolicyBindingSpec
admissionregistration/v1.MutatingAdmissionPolicyBindingSpec policyName:s paramRef:*^admissionregistration/v1.ParamRef matchResources:*^admissionregistration/v1.MatchResources
admissionregistration/v1.MutatingAdmissionPolicySpec paramKind:*^admissionregistration/v1.ParamKind matchConstraints:*^admissionregistration/v1.MatchResources variables:[^admissionregistration/v1.Variable mutations:[admissionregistration/v1.Mutation failurePolicy:*s matchConditions:(name)admissionregistration/v1.MatchCondition reinvocationPolicy:s
admissionregistration/v1.MutatingWebhook name:!s clientConfig:!admissionregistration/v1.WebhookClientConfig rules:[admissionregistration/v1.RuleWithOperations failurePolicy:*s matchPolicy:*s namespaceSelector:*^meta/v1.LabelSelector objectSelector:*^meta/v1.LabelSelector sideEffects:*s timeoutSeconds:*i admissionReviewVersions:![s reinvocationPolicy:*s matchConditions:(name)admissionregistration/v1.MatchCondition
admissionregistration/v1.MutatingWebhookConfiguration metadata:meta/v1.ObjectMeta webhooks:(name)admissionregistration/v1.MutatingWebhook
admissionregistration/v1.Mutation patchType:!s applyConfiguration:*admissionregistration/v1.ApplyConfiguration jsonPatch:*admissionregistration/v1.JSONPatch
admissionregistration/v1.NamedRuleWithOperations resourceNames:[s operations:[s apiGroups:[s apiVersions:[s resources:[s scope:*s
admissionregistration/v1.ParamKind apiVersion:s kind:s
admissionregistration/v1.ParamRef name:s namespace:s selector:*^meta/v1.LabelSelector parameterNotFoundAction:*s
admissionregistration/v1.RuleWithOperations operations:[s apiGroups:[s apiVersions:[s resources:[s scope:*s
admissionregistration/v1.ServiceReference namespace:!s name:!s path:*s port:*i
admissionregistration/v1.ValidatingAdmissionPolicy metadata:meta/v1.ObjectMeta spec:admissionregistration/v1.ValidatingAdmissionPolicySpec
admissionregistration/v1.ValidatingAdmissionPolicyBinding metadata:meta/v1.ObjectMeta spec:admissionregistration/v1.ValidatingAdmissionPolicyBindingSpec
admissionregistration/v1.ValidatingAdmissionPolicyBindingSpec policyName:s paramRef:*^admissionregistration/v1.ParamRef matchResources:*^admissionregistration/v1.MatchResources validationActions:{s
admissionregistration/v1.ValidatingAdmissionPolicySpec paramKind:*^admissionregistration/v1.ParamKind matchConstraints:*^admissionregistration/v1.MatchResources validations:[admissionregistration/v1.Validation failurePolicy:*s auditAnnotations:[admissionregistration/v1.AuditAnnotation matchConditions:(name)admissionregistration/v1.MatchCondition variables:(name)^admissionregistration/v1.Variable
admissionregistration/v1.ValidatingWebhook name:!s clientConfig:!admissionregistration/v1.WebhookClientConfig rules:[admissionregistration/v1.RuleWithOperations failurePolicy:*s matchPolicy:*s namespaceSelector:*^meta/v1.LabelSelector objectSelector:*^meta/v1.LabelSelector sideEffects:*s timeoutSeconds:*i admissionReviewVersions:![s matchConditions:(name)admissionregistration/v1.MatchCondition
admissionregistration/v1.ValidatingWebhookConfiguration metadata:meta/v1.ObjectMeta webhooks:(name)admissionregistration/v1.ValidatingWebhook
admissionregistration/v1.Validation expression:!s message:s reason:*s messageExpression:s
admissionregistration/v1.Variable name:!s expression:!s
admissionregistration/v1.WebhookClientConfig url:*s service:*admissionregistration/v1.ServiceReference caBundle:y
apiextensions/v1.CustomResourceColumnDefinition name:!s type:!s format:s description:s priority:i jsonPath:!s
apiextensions/v1.CustomResourceConversion strategy:!s webhook:*apiextensions/v1.WebhookConversion
apiextensions/v1.CustomResourceDefinition metadata:meta/v1.ObjectMeta spec:!apiextensions/v1.CustomResourceDefinitionSpec
apiextensions/v1.CustomResourceDefinitionNames plural:!s singular:s shortNames:[s kind:!s listKind:s categories:[s
apiextensions/v1.CustomResourceDefinitionSpec group:!s names:!apiextensions/v1.CustomResourceDefinitionNames scope:!s versions:![apiextensions/v1.CustomResourceDefinitionVersion conversion:*apiextensions/v1.CustomResourceConversion preserveUnknownFields:b
apiextensions/v1.CustomResourceDefinitionVersion name:!s served:!b storage:!b deprecated:b deprecationWarning:*s schema:*apiextensions/v1.CustomResourceValidation subresources:*apiextensions/v1.CustomResourceSubresources additionalPrinterColumns:[apiextensions/v1.CustomResourceColumnDefinition selectableFields:[apiextensions/v1.SelectableField
apiextensions/v1.CustomResourceSubresourceScale specReplicasPath:!s statusReplicasPath:!s labelSelectorPath:*s
apiextensions/v1.CustomResourceSubresourceStatus
apiextensions/v1.CustomResourceSubresources status:*apiextensions/v1.CustomResourceSubresourceStatus scale:*apiextensions/v1.CustomResourceSubresourceScale
apiextensions/v1.CustomResourceValidation openAPIV3Schema:*apiextensions/v1.JSONSchemaProps
apiextensions/v1.ExternalDocumentation description:s url:s
apiextensions/v1.JSONSchemaProps id:s $schema:s $ref:*s description:s type:s format:s title:s default:*j maximum:*n exclusiveMaximum:b minimum:*n exclusiveMinimum:b maxLength:*i minLength:*i pattern:s maxItems:*i minItems:*i uniqueItems:b multipleOf:*n enum:[j maxProperties:*i minProperties:*i required:[s items:*j allOf:[apiextensions/v1.JSONSchemaProps oneOf:[apiextensions/v1.JSONSchemaProps anyOf:[apiextensions/v1.JSONSchemaProps not:*apiextensions/v1.JSONSchemaProps properties:<apiextensions/v1.JSONSchemaProps additionalProperties:*j patternProperties:<apiextensions/v1.JSONSchemaProps dependencies:<j additionalItems:*j definitions:<apiextensions/v1.JSONSchemaProps externalDocs:*apiextensions/v1.ExternalDocumentation example:*j nullable:b x-kubernetes-preserve-unknown-fields:*b x-kubernetes-embedded-resource:b x-kubernetes-int-or-string:b x-kubernetes-list-map-keys:[s x-kubernetes-list-type:*s x-kubernetes-map-type:*s x-kubernetes-validations:(rule)apiextensions/v1.ValidationRule
apiextensions/v1.SelectableField jsonPath:!s
apiextensions/v1.ServiceReference namespace:!s name:!s path:*s port:*i
apiextensions/v1.ValidationRule rule:!s message:s messageExpression:s reason:*s fieldPath:s optionalOldSelf:*b
apiextensions/v1.WebhookClientConfig url:*s service:*apiextensions/v1.ServiceReference caBundle:y
apiextensions/v1.WebhookConversion clientConfig:*apiextensions/v1.WebhookClientConfig conversionReviewVersions:![s
apps/v1.ControllerRevision metadata:meta/v1.ObjectMeta data:!j revision:!i
apps/v1.DaemonSet metadata:meta/v1.ObjectMeta spec:apps/v1.DaemonSetSpec
apps/v1.DaemonSetSpec selector:*^meta/v1.LabelSelector template:!core/v1.PodTemplateSpec updateStrategy:apps/v1.DaemonSetUpdateStrategy minReadySeconds:i revisionHistoryLimit:*i
apps/v1.DaemonSetUpdateStrategy type:s rollingUpdate:*apps/v1.RollingUpdateDaemonSet
apps/v1.Deployment metadata:meta/v1.ObjectMeta spec:apps/v1.DeploymentSpec
apps/v1.DeploymentSpec replicas:*i selector:*^meta/v1.LabelSelector template:!core/v1.PodTemplateSpec strategy:apps/v1.DeploymentStrategy minReadySeconds:i revisionHistoryLimit:*i paused:b progressDeadlineSeconds:*i
apps/v1.DeploymentStrategy type:s rollingUpdate:*apps/v1.RollingUpdateDeployment
apps/v1.ReplicaSet metadata:meta/v1.ObjectMeta spec:apps/v1.ReplicaSetSpec
apps/v1.ReplicaSetSpec replicas:*i minReadySeconds:i selector:*^meta/v1.LabelSelector template:core/v1.PodTemplateSpec
apps/v1.RollingUpdateDaemonSet maxUnavailable:*x maxSurge:*x
apps/v1.RollingUpdateDeployment maxUnavailable:*x maxSurge:*x
apps/v1.RollingUpdateStatefulSetStrategy partition:*i maxUnavailable:*x
apps/v1.StatefulSet metadata:meta/v1.ObjectMeta spec:apps/v1.StatefulSetSpec
apps/v1.StatefulSetOrdinals start:!i
apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted:s whenScaled:s
apps/v1.StatefulSetSpec replicas:*i selector:*^meta/v1.LabelSelector template:!core/v1.PodTemplateSpec volumeClaimTemplates:[core/v1.PersistentVolumeClaim serviceName:!s podManagementPolicy:s updateStrategy:apps/v1.StatefulSetUpdateStrategy revisionHistoryLimit:*i minReadySeconds:i persistentVolumeClaimRetentionPolicy:*apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy ordinals:*apps/v1.StatefulSetOrdinals
apps/v1.StatefulSetUpdateStrategy type:s rollingUpdate:*apps/v1.RollingUpdateStatefulSetStrategy
autoscaling/v1.CrossVersionObjectReference kind:!s name:!s apiVersion:s
autoscaling/v1.HorizontalPodAutoscaler metadata:meta/v1.ObjectMeta spec:autoscaling/v1.HorizontalPodAutoscalerSpec
autoscaling/v1.HorizontalPodAutoscalerSpec scaleTargetRef:!^autoscaling/v1.CrossVersionObjectReference minReplicas:*i maxReplicas:!i targetCPUUtilizationPercentage:*i
autoscaling/v2.ContainerResourceMetricSource name:!s target:!autoscaling/v2.MetricTarget container:!s
autoscaling/v2.CrossVersionObjectReference kind:!s name:!s apiVersion:s
autoscaling/v2.ExternalMetricSource metric:!autoscaling/v2.MetricIdentifier target:!autoscaling/v2.MetricTarget
autoscaling/v2.HPAScalingPolicy type:!s value:!i periodSeconds:!i
autoscaling/v2.HPAScalingRules stabilizationWindowSeconds:*i selectPolicy:*s policies:[autoscaling/v2.HPAScalingPolicy tolerance:*q
autoscaling/v2.HorizontalPodAutoscaler metadata:meta/v1.ObjectMeta spec:autoscaling/v2.HorizontalPodAutoscalerSpec
autoscaling/v2.HorizontalPodAutoscalerBehavior scaleUp:*autoscaling/v2.HPAScalingRules scaleDown:*autoscaling/v2.HPAScalingRules
autoscaling/v2.HorizontalPodAutoscalerSpec scaleTargetRef:!autoscaling/v2.CrossVersionObjectReference minReplicas:*i maxReplicas:!i metrics:[autoscaling/v2.MetricSpec behavior:*autoscaling/v2.HorizontalPodAutoscalerBehavior
autoscaling/v2.MetricIdentifier name:!s selector:*^meta/v1.LabelSelector
autoscaling/v2.MetricSpec type:!s object:*autoscaling/v2.ObjectMetricSource pods:*autoscaling/v2.PodsMetricSource resource:*autoscaling/v2.ResourceMetricSource containerResource:*autoscaling/v2.ContainerResourceMetricSource external:*autoscaling/v2.ExternalMetricSource
autoscaling/v2.MetricTarget type:!s value:*q averageValue:*q averageUtilization:*i
autoscaling/v2.ObjectMetricSource describedObject:!autoscaling/v2.CrossVersionObjectReference target:!autoscaling/v2.MetricTarget metric:!autoscaling/v2.MetricIdentifier
autoscaling/v2.PodsMetricSource metric:!autoscaling/v2.MetricIdentifier target:!autoscaling/v2.MetricTarget
autoscaling/v2.ResourceMetricSource name:!s target:!autoscaling/v2.MetricTarget
batch/v1.CronJob metadata:meta/v1.ObjectMeta spec:batch/v1.CronJobSpec
batch/v1.CronJobSpec schedule:!s timeZone:*s startingDeadlineSeconds:*i concurrencyPolicy:s suspend:*b jobTemplate:!batch/v1.JobTemplateSpec successfulJobsHistoryLimit:*i failedJobsHistoryLimit:*i
batch/v1.Job metadata:meta/v1.ObjectMeta spec:batch/v1.JobSpec
batch/v1.JobSchedulingConfiguration schedulingPolicy:*scheduling/v1alpha3.WorkloadPodGroupSchedulingPolicy schedulingConstraints:*scheduling/v1alpha3.WorkloadPodGroupSchedulingConstraints disruptionMode:*scheduling/v1alpha3.WorkloadPodGroupDisruptionMode resourceClaims:(name)scheduling/v1alpha3.WorkloadPodGroupResourceClaim
batch/v1.JobSpec parallelism:*i completions:*i activeDeadlineSeconds:*i podFailurePolicy:*batch/v1.PodFailurePolicy successPolicy:*batch/v1.SuccessPolicy backoffLimit:*i backoffLimitPerIndex:*i maxFailedIndexes:*i selector:*^meta/v1.LabelSelector manualSelector:*b template:!core/v1.PodTemplateSpec ttlSecondsAfterFinished:*i completionMode:*s suspend:*b podReplacementPolicy:*s managedBy:*s scheduling:*batch/v1.JobSchedulingConfiguration
batch/v1.JobTemplateSpec metadata:meta/v1.ObjectMeta spec:batch/v1.JobSpec
batch/v1.PodFailurePolicy rules:![batch/v1.PodFailurePolicyRule
batch/v1.PodFailurePolicyOnExitCodesRequirement containerName:*s operator:!s values:!{i
batch/v1.PodFailurePolicyOnPodConditionsPattern type:!s status:!s
batch/v1.PodFailurePolicyRule action:!s onExitCodes:*batch/v1.PodFailurePolicyOnExitCodesRequirement onPodConditions:[batch/v1.PodFailurePolicyOnPodConditionsPattern
batch/v1.SuccessPolicy rules:![batch/v1.SuccessPolicyRule
batch/v1.SuccessPolicyRule succeededIndexes:*s succeededCount:*i
certificates/v1.CertificateSigningRequest metadata:meta/v1.ObjectMeta spec:!certificates/v1.CertificateSigningRequestSpec
certificates/v1.CertificateSigningRequestSpec request:!y signerName:!s expirationSeconds:*i usages:[s username:s uid:s groups:[s extra:<[s
certificates/v1.ClusterTrustBundle metadata:meta/v1.ObjectMeta spec:!certificates/v1.ClusterTrustBundleSpec
certificates/v1.ClusterTrustBundleSpec signerName:s trustBundle:!s
certificates/v1.PodCertificateRequest metadata:meta/v1.ObjectMeta spec:!certificates/v1.PodCertificateRequestSpec
certificates/v1.PodCertificateRequestSpec signerName:!s podName:!s podUID:!s serviceAccountName:!s serviceAccountUID:!s nodeName:!s nodeUID:!s maxExpirationSeconds:*i=86400 stubPKCS10Request:!y unverifiedUserAnnotations:<s
coordination/v1.Lease metadata:meta/v1.ObjectMeta spec:coordination/v1.LeaseSpec
coordination/v1.LeaseSpec holderIdentity:*s leaseDurationSeconds:*i acquireTime:*t renewTime:*t leaseTransitions:*i strategy:*s preferredHolder:*s
core/v1.AWSElasticBlockStoreVolumeSource volumeID:!s fsType:s partition:i readOnly:b
core/v1.Affinity nodeAffinity:*core/v1.NodeAffinity podAffinity:*core/v1.PodAffinity podAntiAffinity:*core/v1.PodAntiAffinity
core/v1.AppArmorProfile type:!s localhostProfile:*s
core/v1.AzureDiskVolumeSource diskName:!s diskURI:!s cachingMode:*s fsType:*s="ext4" readOnly:*b=false kind:*s
core/v1.AzureFilePersistentVolumeSource secretName:!s shareName:!s readOnly:b secretNamespace:*s
core/v1.AzureFileVolumeSource secretName:!s shareName:!s readOnly:b
core/v1.CSIPersistentVolumeSource driver:!s volumeHandle:!s readOnly:b fsType:s volumeAttributes:<s controllerPublishSecretRef:*^core/v1.SecretReference nodeStageSecretRef:*^core/v1.SecretReference nodePublishSecretRef:*^core/v1.SecretReference controllerExpandSecretRef:*^core/v1.SecretReference nodeExpandSecretRef:*^core/v1.SecretReference
core/v1.CSIVolumeSource driver:!s readOnly:*b fsType:*s volumeAttributes:<s nodePublishSecretRef:*^core/v1.LocalObjectReference
core/v1.Capabilities add:[s drop:[s
core/v1.CephFSPersistentVolumeSource monitors:![s path:s user:s secretFile:s secretRef:*^core/v1.SecretReference readOnly:b
core/v1.CephFSVolumeSource monitors:![s path:s user:s secretFile:s secretRef:*^core/v1.LocalObjectReference readOnly:b
core/v1.CinderPersistentVolumeSource volumeID:!s fsType:s readOnly:b secretRef:*^core/v1.SecretReference
core/v1.CinderVolumeSource volumeID:!s fsType:s readOnly:b secretRef:*^core/v1.LocalObjectReference
core/v1.ClientIPConfig timeoutSeconds:*i
core/v1.ClusterTrustBundleProjection name:*s signerName:*s labelSelector:*^meta/v1.LabelSelector optional:*b path:!s user:*i
core/v1.ComponentCondition type:!s status:!s message:s error:s
core/v1.ComponentStatus metadata:meta/v1.ObjectMeta conditions:(type)core/v1.ComponentCondition
core/v1.ConfigMap metadata:meta/v1.ObjectMeta immutable:*b data:<s binaryData:<y
core/v1.ConfigMapEnvSource name:s="" optional:*b
core/v1.ConfigMapKeySelector name:s="" key:!s optional:*b
core/v1.ConfigMapNodeConfigSource namespace:!s name:!s uid:s resourceVersion:s kubeletConfigKey:!s
core/v1.ConfigMapProjection name:s="" items:[core/v1.KeyToPath optional:*b
core/v1.ConfigMapVolumeSource name:s="" items:[core/v1.KeyToPath defaultMode:*i optional:*b defaultUser:*i
core/v1.Container name:!s image:s command:[s args:[s workingDir:s ports:(containerPort,protocol)core/v1.ContainerPort envFrom:[core/v1.EnvFromSource env:(name)core/v1.EnvVar resources:core/v1.ResourceRequirements resizePolicy:[core/v1.ContainerResizePolicy restartPolicy:*s restartPolicyRules:[core/v1.ContainerRestartRule volumeMounts:(mountPath)core/v1.VolumeMount volumeDevices:(devicePath)core/v1.VolumeDevice livenessProbe:*core/v1.Probe readinessProbe:*core/v1.Probe startupProbe:*core/v1.Probe lifecycle:*core/v1.Lifecycle terminationMessagePath:s terminationMessagePolicy:s imagePullPolicy:s securityContext:*core/v1.SecurityContext stdin:b stdinOnce:b tty:b
core/v1.ContainerPort name:s hostPort:i containerPort:!i protocol:s="TCP" hostIP:s
core/v1.ContainerResizePolicy resourceName:!s restartPolicy:!s
core/v1.ContainerRestartRule action:s exitCodes:*core/v1.ContainerRestartRuleOnExitCodes
core/v1.ContainerRestartRuleOnExitCodes operator:s values:{i
core/v1.DownwardAPIProjection items:[core/v1.DownwardAPIVolumeFile
core/v1.DownwardAPIVolumeFile path:!s fieldRef:*^core/v1.ObjectFieldSelector resourceFieldRef:*^core/v1.ResourceFieldSelector mode:*i user:*i
core/v1.DownwardAPIVolumeSource items:[core/v1.DownwardAPIVolumeFile defaultMode:*i defaultUser:*i
core/v1.EmptyDirVolumeSource medium:s sizeLimit:*q mode:*i
core/v1.EndpointAddress ip:!s hostname:s nodeName:*s targetRef:*^core/v1.ObjectReference
core/v1.EndpointPort name:s port:!i protocol:s appProtocol:*s
core/v1.EndpointSubset addresses:[^core/v1.EndpointAddress notReadyAddresses:[^core/v1.EndpointAddress ports:[^core/v1.EndpointPort
core/v1.Endpoints metadata:meta/v1.ObjectMeta subsets:[core/v1.EndpointSubset
core/v1.EnvFromSource prefix:s configMapRef:*core/v1.ConfigMapEnvSource secretRef:*core/v1.SecretEnvSource
core/v1.EnvVar name:!s value:s valueFrom:*core/v1.EnvVarSource
core/v1.EnvVarSource fieldRef:*^core/v1.ObjectFieldSelector resourceFieldRef:*^core/v1.ResourceFieldSelector configMapKeyRef:*^core/v1.ConfigMapKeySelector secretKeyRef:*^core/v1.SecretKeySelector fileKeyRef:*^core/v1.FileKeySelector
core/v1.EphemeralContainer name:!s image:s command:[s args:[s workingDir:s ports:(containerPort,protocol)core/v1.ContainerPort envFrom:[core/v1.EnvFromSource env:(name)core/v1.EnvVar resources:core/v1.ResourceRequirements resizePolicy:[core/v1.ContainerResizePolicy restartPolicy:*s restartPolicyRules:[core/v1.ContainerRestartRule volumeMounts:(mountPath)core/v1.VolumeMount volumeDevices:(devicePath)core/v1.VolumeDevice livenessProbe:*core/v1.Probe readinessProbe:*core/v1.Probe startupProbe:*core/v1.Probe lifecycle:*core/v1.Lifecycle terminationMessagePath:s terminationMessagePolicy:s imagePullPolicy:s securityContext:*core/v1.SecurityContext stdin:b stdinOnce:b tty:b targetContainerName:s
core/v1.EphemeralVolumeSource volumeClaimTemplate:*core/v1.PersistentVolumeClaimTemplate
core/v1.EvictionResponder name:!s priority:*i
core/v1.ExecAction command:[s
core/v1.FCVolumeSource targetWWNs:[s lun:*i fsType:s readOnly:b wwids:[s
core/v1.FileKeySelector volumeName:!s path:!s key:!s optional:*b=false
core/v1.FlexPersistentVolumeSource driver:!s fsType:s secretRef:*^core/v1.SecretReference readOnly:b options:<s
core/v1.FlexVolumeSource driver:!s fsType:s secretRef:*^core/v1.LocalObjectReference readOnly:b options:<s
core/v1.FlockerVolumeSource datasetName:s datasetUUID:s
core/v1.GCEPersistentDiskVolumeSource pdName:!s fsType:s partition:i readOnly:b
core/v1.GRPCAction port:!i service:*s="" mode:*s
core/v1.GitRepoVolumeSource repository:!s revision:s directory:s
core/v1.GlusterfsPersistentVolumeSource endpoints:!s path:!s readOnly:b endpointsNamespace:*s
core/v1.GlusterfsVolumeSource endpoints:!s path:!s readOnly:b
core/v1.HTTPGetAction path:s port:!x host:s scheme:s httpHeaders:[core/v1.HTTPHeader protocol:*s
core/v1.HTTPHeader name:!s value:!s
core/v1.HostAlias ip:!s hostnames:[s
core/v1.HostPathVolumeSource path:!s type:*s
core/v1.ISCSIPersistentVolumeSource targetPortal:!s iqn:!s lun:!i iscsiInterface:s="default" fsType:s readOnly:b portals:[s chapAuthDiscovery:b chapAuthSession:b secretRef:*^core/v1.SecretReference initiatorName:*s
core/v1.ISCSIVolumeSource targetPortal:!s iqn:!s lun:!i iscsiInterface:s="default" fsType:s readOnly:b portals:[s chapAuthDiscovery:b chapAuthSession:b secretRef:*^core/v1.LocalObjectReference initiatorName:*s
core/v1.ImageVolumeSource reference:s pullPolicy:s
core/v1.KeyToPath key:!s path:!s mode:*i user:*i
core/v1.Lifecycle postStart:*core/v1.LifecycleHandler preStop:*core/v1.LifecycleHandler stopSignal:*s
core/v1.LifecycleHandler exec:*core/v1.ExecAction httpGet:*core/v1.HTTPGetAction tcpSocket:*core/v1.TCPSocketAction sleep:*core/v1.SleepAction
core/v1.LimitRange metadata:meta/v1.ObjectMeta spec:core/v1.LimitRangeSpec
core/v1.LimitRangeItem type:!s max:<q min:<q default:<q defaultRequest:<q maxLimitRequestRatio:<q
core/v1.LimitRangeSpec limits:![core/v1.LimitRangeItem
core/v1.LocalObjectReference name:s=""
core/v1.LocalVolumeSource path:!s fsType:*s
core/v1.NFSVolumeSource server:!s path:!s readOnly:b
core/v1.Namespace metadata:meta/v1.ObjectMeta spec:core/v1.NamespaceSpec
core/v1.NamespaceSpec finalizers:[s
core/v1.Node metadata:meta/v1.ObjectMeta spec:core/v1.NodeSpec
core/v1.NodeAffinity requiredDuringSchedulingIgnoredDuringExecution:*^core/v1.NodeSelector preferredDuringSchedulingIgnoredDuringExecution:[core/v1.PreferredSchedulingTerm
core/v1.NodeConfigSource configMap:*core/v1.ConfigMapNodeConfigSource
core/v1.NodePodPreemptionPolicy disableResizePreemption:{s
core/v1.NodeSelector nodeSelectorTerms:![^core/v1.NodeSelectorTerm
core/v1.NodeSelectorRequirement key:!s operator:!s values:[s
core/v1.NodeSelectorTerm matchExpressions:[core/v1.NodeSelectorRequirement matchFields:[core/v1.NodeSelectorRequirement
core/v1.NodeSpec podCIDR:s podCIDRs:{s providerID:s unschedulable:b taints:[core/v1.Taint configSource:*core/v1.NodeConfigSource externalID:s podPreemptionPolicy:*core/v1.NodePodPreemptionPolicy
core/v1.ObjectFieldSelector apiVersion:s fieldPath:!s
core/v1.ObjectReference kind:s namespace:s name:s uid:s apiVersion:s resourceVersion:s fieldPath:s
core/v1.PersistentVolume metadata:meta/v1.ObjectMeta spec:core/v1.PersistentVolumeSpec
core/v1.PersistentVolumeClaim metadata:meta/v1.ObjectMeta spec:core/v1.PersistentVolumeClaimSpec
core/v1.PersistentVolumeClaimSpec accessModes:[s selector:*^meta/v1.LabelSelector resources:core/v1.VolumeResourceRequirements volumeName:s storageClassName:*s volumeMode:*s dataSource:*^core/v1.TypedLocalObjectReference dataSourceRef:*core/v1.TypedObjectReference volumeAttributesClassName:*s
core/v1.PersistentVolumeClaimTemplate metadata:meta/v1.ObjectMeta spec:!core/v1.PersistentVolumeClaimSpec
core/v1.PersistentVolumeClaimVolumeSource claimName:!s readOnly:b
core/v1.PersistentVolumeSpec capacity:<q gcePersistentDisk:*core/v1.GCEPersistentDiskVolumeSource awsElasticBlockStore:*core/v1.AWSElasticBlockStoreVolumeSource hostPath:*core/v1.HostPathVolumeSource glusterfs:*core/v1.GlusterfsPersistentVolumeSource nfs:*core/v1.NFSVolumeSource rbd:*core/v1.RBDPersistentVolumeSource iscsi:*core/v1.ISCSIPersistentVolumeSource cinder:*core/v1.CinderPersistentVolumeSource cephfs:*core/v1.CephFSPersistentVolumeSource fc:*core/v1.FCVolumeSource flocker:*core/v1.FlockerVolumeSource flexVolume:*core/v1.FlexPersistentVolumeSource azureFile:*core/v1.AzureFilePersistentVolumeSource vsphereVolume:*core/v1.VsphereVirtualDiskVolumeSource quobyte:*core/v1.QuobyteVolumeSource azureDisk:*core/v1.AzureDiskVolumeSource photonPersistentDisk:*core/v1.PhotonPersistentDiskVolumeSource portworxVolume:*core/v1.PortworxVolumeSource scaleIO:*core/v1.ScaleIOPersistentVolumeSource local:*core/v1.LocalVolumeSource storageos:*core/v1.StorageOSPersistentVolumeSource csi:*core/v1.CSIPersistentVolumeSource accessModes:[s claimRef:*core/v1.ObjectReference persistentVolumeReclaimPolicy:s storageClassName:s mountOptions:[s volumeMode:*s nodeAffinity:*core/v1.VolumeNodeAffinity volumeAttributesClassName:*s
core/v1.PhotonPersistentDiskVolumeSource pdID:!s fsType:s
core/v1.Pod metadata:meta/v1.ObjectMeta spec:core/v1.PodSpec
core/v1.PodAffinity requiredDuringSchedulingIgnoredDuringExecution:[core/v1.PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:[core/v1.WeightedPodAffinityTerm
core/v1.PodAffinityTerm labelSelector:*^meta/v1.LabelSelector namespaces:[s topologyKey:!s namespaceSelector:*^meta/v1.LabelSelector matchLabelKeys:[s mismatchLabelKeys:[s
core/v1.PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution:[core/v1.PodAffinityTerm preferredDuringSchedulingIgnoredDuringExecution:[core/v1.WeightedPodAffinityTerm
core/v1.PodCertificateProjection signerName:s keyType:s maxExpirationSeconds:*i credentialBundlePath:s keyPath:s certificateChainPath:s userAnnotations:<s user:*i
core/v1.PodDNSConfig nameservers:[s searches:[s options:[core/v1.PodDNSConfigOption
core/v1.PodDNSConfigOption name:s value:*s
core/v1.PodOS name:!s
core/v1.PodReadinessGate conditionType:!s
core/v1.PodResourceClaim name:!s resourceClaimName:*s resourceClaimTemplateName:*s
core/v1.PodSchedulingGate name:!s
core/v1.PodSchedulingGroup podGroupName:*s
core/v1.PodSecurityContext seLinuxOptions:*core/v1.SELinuxOptions windowsOptions:*core/v1.WindowsSecurityContextOptions runAsUser:*i runAsGroup:*i runAsNonRoot:*b supplementalGroups:[i supplementalGroupsPolicy:*s fsGroup:*i sysctls:[core/v1.Sysctl fsGroupChangePolicy:*s seccompProfile:*core/v1.SeccompProfile appArmorProfile:*core/v1.AppArmorProfile seLinuxChangePolicy:*s
core/v1.PodSpec volumes:(name)core/v1.Volume initContainers:(name)core/v1.Container containers:!(name)core/v1.Container ephemeralContainers:(name)core/v1.EphemeralContainer restartPolicy:s terminationGracePeriodSeconds:*i activeDeadlineSeconds:*i dnsPolicy:s nodeSelector:^<s serviceAccountName:s serviceAccount:s automountServiceAccountToken:*b nodeName:s hostNetwork:b hostPID:b hostIPC:b shareProcessNamespace:*b securityContext:*core/v1.PodSecurityContext imagePullSecrets:(name)^core/v1.LocalObjectReference hostname:s subdomain:s affinity:*core/v1.Affinity schedulerName:s tolerations:[core/v1.Toleration hostAliases:(ip)core/v1.HostAlias priorityClassName:s priority:*i dnsConfig:*core/v1.PodDNSConfig readinessGates:[core/v1.PodReadinessGate runtimeClassName:*s enableServiceLinks:*b preemptionPolicy:*s overhead:<q topologySpreadConstraints:(topologyKey,whenUnsatisfiable)core/v1.TopologySpreadConstraint setHostnameAsFQDN:*b os:*core/v1.PodOS hostUsers:*b schedulingGates:(name)core/v1.PodSchedulingGate resourceClaims:(name)core/v1.PodResourceClaim resources:*core/v1.ResourceRequirements hostnameOverride:*s schedulingGroup:*core/v1.PodSchedulingGroup evictionResponders:(name)^core/v1.EvictionResponder
core/v1.PodTemplate metadata:meta/v1.ObjectMeta template:core/v1.PodTemplateSpec
core/v1.PodTemplateSpec metadata:meta/v1.ObjectMeta spec:core/v1.PodSpec
core/v1.PortworxVolumeSource volumeID:!s fsType:s readOnly:b
core/v1.PreferredSchedulingTerm weight:!i preference:!^core/v1.NodeSelectorTerm
core/v1.Probe exec:*core/v1.ExecAction httpGet:*core/v1.HTTPGetAction tcpSocket:*core/v1.TCPSocketAction grpc:*core/v1.GRPCAction initialDelaySeconds:i timeoutSeconds:i periodSeconds:i successThreshold:i failureThreshold:i terminationGracePeriodSeconds:*i
core/v1.ProjectedVolumeSource sources:![core/v1.VolumeProjection defaultMode:*i defaultUser:*i
core/v1.QuobyteVolumeSource registry:!s volume:!s readOnly:b user:s group:s tenant:s
core/v1.RBDPersistentVolumeSource monitors:![s image:!s fsType:s pool:s="rbd" user:s="admin" keyring:s="/etc/ceph/keyring" secretRef:*^core/v1.SecretReference readOnly:b
core/v1.RBDVolumeSource monitors:![s image:!s fsType:s pool:s="rbd" user:s="admin" keyring:s="/etc/ceph/keyring" secretRef:*^core/v1.LocalObjectReference readOnly:b
core/v1.ReplicationController metadata:meta/v1.ObjectMeta spec:core/v1.ReplicationControllerSpec
core/v1.ReplicationControllerSpec replicas:*i=1 minReadySeconds:i=0 selector:^<s template:*core/v1.PodTemplateSpec
core/v1.ResourceClaim name:!s request:s
core/v1.ResourceFieldSelector containerName:s resource:!s divisor:q
core/v1.ResourceQuota metadata:meta/v1.ObjectMeta spec:core/v1.ResourceQuotaSpec
core/v1.ResourceQuotaSpec hard:<q scopes:[s scopeSelector:*^core/v1.ScopeSelector
core/v1.ResourceRequirements limits:<q requests:<q claims:(name)core/v1.ResourceClaim
core/v1.SELinuxOptions user:s role:s type:s level:s
core/v1.ScaleIOPersistentVolumeSource gateway:!s system:!s secretRef:*^core/v1.SecretReference sslEnabled:b protectionDomain:s storagePool:s storageMode:s="ThinProvisioned" volumeName:s fsType:s="xfs" readOnly:b
core/v1.ScaleIOVolumeSource gateway:!s system:!s secretRef:*^core/v1.LocalObjectReference sslEnabled:b protectionDomain:s storagePool:s storageMode:s="ThinProvisioned" volumeName:s fsType:s="xfs" readOnly:b
core/v1.ScopeSelector matchExpressions:[core/v1.ScopedResourceSelectorRequirement
core/v1.ScopedResourceSelectorRequirement scopeName:!s operator:!s values:[s
core/v1.SeccompProfile type:!s localhostProfile:*s
core/v1.Secret metadata:meta/v1.ObjectMeta immutable:*b data:<y stringData:<s type:s
core/v1.SecretEnvSource name:s="" optional:*b
core/v1.SecretKeySelector name:s="" key:!s optional:*b
core/v1.SecretProjection name:s="" items:[core/v1.KeyToPath optional:*b
core/v1.SecretReference name:s namespace:s
core/v1.SecretVolumeSource secretName:s items:[core/v1.KeyToPath defaultMode:*i optional:*b defaultUser:*i
core/v1.SecurityContext capabilities:*core/v1.Capabilities privileged:*b seLinuxOptions:*core/v1.SELinuxOptions windowsOptions:*core/v1.WindowsSecurityContextOptions runAsUser:*i runAsGroup:*i runAsNonRoot:*b readOnlyRootFilesystem:*b allowPrivilegeEscalation:*b procMount:*s seccompProfile:*core/v1.SeccompProfile appArmorProfile:*core/v1.AppArmorProfile
core/v1.Service metadata:meta/v1.ObjectMeta spec:core/v1.ServiceSpec
core/v1.ServiceAccount metadata:meta/v1.ObjectMeta secrets:(name)^core/v1.ObjectReference imagePullSecrets:[^core/v1.LocalObjectReference automountServiceAccountToken:*b
core/v1.ServiceAccountTokenProjection audience:s expirationSeconds:*i path:!s user:*i
core/v1.ServicePort name:s protocol:s="TCP" appProtocol:*s port:!i targetPort:x nodePort:i
core/v1.ServiceSpec ports:(port,protocol)core/v1.ServicePort selector:^<s clusterIP:s clusterIPs:[s type:s externalIPs:[s sessionAffinity:s loadBalancerIP:s loadBalancerSourceRanges:[s externalName:s externalTrafficPolicy:s healthCheckNodePort:i publishNotReadyAddresses:b sessionAffinityConfig:*core/v1.SessionAffinityConfig ipFamilies:[s ipFamilyPolicy:*s allocateLoadBalancerNodePorts:*b loadBalancerClass:*s internalTrafficPolicy:*s trafficDistribution:*s
core/v1.SessionAffinityConfig clientIP:*core/v1.ClientIPConfig
core/v1.SleepAction seconds:!i
core/v1.StorageOSPersistentVolumeSource volumeName:s volumeNamespace:s fsType:s readOnly:b secretRef:*^core/v1.ObjectReference
core/v1.StorageOSVolumeSource volumeName:s volumeNamespace:s fsType:s readOnly:b secretRef:*^core/v1.LocalObjectReference
core/v1.Sysctl name:!s value:!s
core/v1.TCPSocketAction port:!x host:s
core/v1.Taint key:!s value:s effect:!s timeAdded:*t
core/v1.Toleration key:s operator:s value:s effect:s tolerationSeconds:*i
core/v1.TopologySelectorLabelRequirement key:!s values:![s
core/v1.TopologySelectorTerm matchLabelExpressions:[core/v1.TopologySelectorLabelRequirement
core/v1.TopologySpreadConstraint maxSkew:!i topologyKey:!s whenUnsatisfiable:!s labelSelector:*^meta/v1.LabelSelector minDomains:*i nodeAffinityPolicy:*s nodeTaintsPolicy:*s matchLabelKeys:[s
core/v1.TypedLocalObjectReference apiGroup:*s kind:!s name:!s
core/v1.TypedObjectReference apiGroup:*s kind:!s name:!s namespace:*s
core/v1.Volume name:!s hostPath:*core/v1.HostPathVolumeSource emptyDir:*core/v1.EmptyDirVolumeSource gcePersistentDisk:*core/v1.GCEPersistentDiskVolumeSource awsElasticBlockStore:*core/v1.AWSElasticBlockStoreVolumeSource gitRepo:*core/v1.GitRepoVolumeSource secret:*core/v1.SecretVolumeSource nfs:*core/v1.NFSVolumeSource iscsi:*core/v1.ISCSIVolumeSource glusterfs:*core/v1.GlusterfsVolumeSource persistentVolumeClaim:*core/v1.PersistentVolumeClaimVolumeSource rbd:*core/v1.RBDVolumeSource flexVolume:*core/v1.FlexVolumeSource cinder:*core/v1.CinderVolumeSource cephfs:*core/v1.CephFSVolumeSource flocker:*core/v1.FlockerVolumeSource downwardAPI:*core/v1.DownwardAPIVolumeSource fc:*core/v1.FCVolumeSource azureFile:*core/v1.AzureFileVolumeSource configMap:*core/v1.ConfigMapVolumeSource vsphereVolume:*core/v1.VsphereVirtualDiskVolumeSource quobyte:*core/v1.QuobyteVolumeSource azureDisk:*core/v1.AzureDiskVolumeSource photonPersistentDisk:*core/v1.PhotonPersistentDiskVolumeSource projected:*core/v1.ProjectedVolumeSource portworxVolume:*core/v1.PortworxVolumeSource scaleIO:*core/v1.ScaleIOVolumeSource storageos:*core/v1.StorageOSVolumeSource csi:*core/v1.CSIVolumeSource ephemeral:*core/v1.EphemeralVolumeSource image:*core/v1.ImageVolumeSource
core/v1.VolumeDevice name:!s devicePath:!s
core/v1.VolumeMount name:!s readOnly:b recursiveReadOnly:*s mountPath:!s subPath:s mountPropagation:*s subPathExpr:s bindMountOptions:{s
core/v1.VolumeNodeAffinity required:*^core/v1.NodeSelector
core/v1.VolumeProjection secret:*core/v1.SecretProjection downwardAPI:*core/v1.DownwardAPIProjection configMap:*core/v1.ConfigMapProjection serviceAccountToken:*core/v1.ServiceAccountTokenProjection clusterTrustBundle:*core/v1.ClusterTrustBundleProjection podCertificate:*core/v1.PodCertificateProjection
core/v1.VolumeResourceRequirements limits:<q requests:<q
core/v1.VsphereVirtualDiskVolumeSource volumePath:!s fsType:s storagePolicyName:s storagePolicyID:s
core/v1.WeightedPodAffinityTerm weight:!i podAffinityTerm:!core/v1.PodAffinityTerm
core/v1.WindowsSecurityContextOptions gmsaCredentialSpecName:*s gmsaCredentialSpec:*s runAsUserName:*s hostProcess:*b
discovery/v1.Endpoint addresses:!{s conditions:discovery/v1.EndpointConditions hostname:*s targetRef:*^core/v1.ObjectReference deprecatedTopology:<s nodeName:*s zone:*s hints:*discovery/v1.EndpointHints
discovery/v1.EndpointConditions ready:*b serving:*b terminating:*b
discovery/v1.EndpointHints forZones:[discovery/v1.ForZone forNodes:[discovery/v1.ForNode
discovery/v1.EndpointPort name:*s protocol:*s port:*i appProtocol:*s
discovery/v1.EndpointSlice metadata:meta/v1.ObjectMeta addressType:!s endpoints:![discovery/v1.Endpoint ports:![^discovery/v1.EndpointPort
discovery/v1.ForNode name:!s
discovery/v1.ForZone name:!s
flowcontrol/v1.ExemptPriorityLevelConfiguration nominalConcurrencyShares:*i lendablePercent:*i
flowcontrol/v1.FlowDistinguisherMethod type:!s
flowcontrol/v1.FlowSchema metadata:meta/v1.ObjectMeta spec:flowcontrol/v1.FlowSchemaSpec
flowcontrol/v1.FlowSchemaSpec priorityLevelConfiguration:!flowcontrol/v1.PriorityLevelConfigurationReference matchingPrecedence:!i distinguisherMethod:*flowcontrol/v1.FlowDistinguisherMethod rules:[flowcontrol/v1.PolicyRulesWithSubjects
flowcontrol/v1.GroupSubject name:!s
flowcontrol/v1.LimitResponse type:!s queuing:*flowcontrol/v1.QueuingConfiguration
flowcontrol/v1.LimitedPriorityLevelConfiguration nominalConcurrencyShares:*i limitResponse:flowcontrol/v1.LimitResponse lendablePercent:*i borrowingLimitPercent:*i
flowcontrol/v1.NonResourcePolicyRule verbs:!{s nonResourceURLs:!{s
flowcontrol/v1.PolicyRulesWithSubjects subjects:![flowcontrol/v1.Subject resourceRules:[flowcontrol/v1.ResourcePolicyRule nonResourceRules:[flowcontrol/v1.NonResourcePolicyRule
flowcontrol/v1.PriorityLevelConfiguration metadata:meta/v1.ObjectMeta spec:flowcontrol/v1.PriorityLevelConfigurationSpec
flowcontrol/v1.PriorityLevelConfigurationReference name:!s
flowcontrol/v1.PriorityLevelConfigurationSpec type:!s limited:*flowcontrol/v1.LimitedPriorityLevelConfiguration exempt:*flowcontrol/v1.ExemptPriorityLevelConfiguration
flowcontrol/v1.QueuingConfiguration queues:!i handSize:!i queueLengthLimit:!i
flowcontrol/v1.ResourcePolicyRule verbs:!{s apiGroups:!{s resources:!{s clusterScope:b namespaces:!{s
flowcontrol/v1.ServiceAccountSubject namespace:!s name:!s
flowcontrol/v1.Subject kind:!s user:*flowcontrol/v1.UserSubject group:*flowcontrol/v1.GroupSubject serviceAccount:*flowcontrol/v1.ServiceAccountSubject
flowcontrol/v1.UserSubject name:!s
meta/v1.DeleteOptions gracePeriodSeconds:*i preconditions:*meta/v1.Preconditions orphanDependents:*b propagationPolicy:*s dryRun:[s ignoreStoreReadErrorWithClusterBreakingPotential:*b
meta/v1.GroupResource group:!s resource:!s
meta/v1.LabelSelector matchLabels:<s matchExpressions:[meta/v1.LabelSelectorRequirement
meta/v1.LabelSelectorRequirement key:!s operator:!s values:[s
meta/v1.ManagedFieldsEntry manager:s operation:s apiVersion:s time:*t fieldsType:s fieldsV1:*j subresource:s
meta/v1.ObjectMeta name:s generateName:s namespace:s selfLink:s uid:s resourceVersion:s generation:i creationTimestamp:t deletionTimestamp:*t deletionGracePeriodSeconds:*i labels:<s annotations:<s ownerReferences:(uid)^meta/v1.OwnerReference finalizers:{s managedFields:[meta/v1.ManagedFieldsEntry
meta/v1.OwnerReference apiVersion:!s kind:!s name:!s uid:!s controller:*b blockOwnerDeletion:*b
meta/v1.Preconditions uid:*s resourceVersion:*s
networking/v1.HTTPIngressPath path:s pathType:*s backend:!networking/v1.IngressBackend
networking/v1.HTTPIngressRuleValue paths:![networking/v1.HTTPIngressPath
networking/v1.IPAddress metadata:meta/v1.ObjectMeta spec:networking/v1.IPAddressSpec
networking/v1.IPAddressSpec parentRef:*networking/v1.ParentReference
networking/v1.IPBlock cidr:!s except:[s
networking/v1.Ingress metadata:meta/v1.ObjectMeta spec:networking/v1.IngressSpec
networking/v1.IngressBackend service:*networking/v1.IngressServiceBackend resource:*^core/v1.TypedLocalObjectReference
networking/v1.IngressClass metadata:meta/v1.ObjectMeta spec:networking/v1.IngressClassSpec
networking/v1.IngressClassParametersReference apiGroup:*s kind:!s name:!s scope:*s namespace:*s
networking/v1.IngressClassSpec controller:s parameters:*networking/v1.IngressClassParametersReference
networking/v1.IngressRule host:s http:*networking/v1.HTTPIngressRuleValue
networking/v1.IngressServiceBackend name:!s port:^networking/v1.ServiceBackendPort
networking/v1.IngressSpec ingressClassName:*s defaultBackend:*networking/v1.IngressBackend tls:[networking/v1.IngressTLS rules:[networking/v1.IngressRule
networking/v1.IngressTLS hosts:[s secretName:s
networking/v1.NetworkPolicy metadata:meta/v1.ObjectMeta spec:networking/v1.NetworkPolicySpec
networking/v1.NetworkPolicyEgressRule ports:[networking/v1.NetworkPolicyPort to:[networking/v1.NetworkPolicyPeer
networking/v1.NetworkPolicyIngressRule ports:[networking/v1.NetworkPolicyPort from:[networking/v1.NetworkPolicyPeer
networking/v1.NetworkPolicyPeer podSelector:*^meta/v1.LabelSelector namespaceSelector:*^meta/v1.LabelSelector ipBlock:*networking/v1.IPBlock
networking/v1.NetworkPolicyPort protocol:*s port:*x endPort:*i
networking/v1.NetworkPolicySpec podSelector:!^meta/v1.LabelSelector ingress:[networking/v1.NetworkPolicyIngressRule egress:[networking/v1.NetworkPolicyEgressRule policyTypes:[s
networking/v1.ParentReference group:s resource:s namespace:s name:s
networking/v1.ServiceBackendPort name:s number:i
networking/v1.ServiceCIDR metadata:meta/v1.ObjectMeta spec:networking/v1.ServiceCIDRSpec
networking/v1.ServiceCIDRSpec cidrs:[s
node/v1.Overhead podFixed:<q
node/v1.RuntimeClass metadata:meta/v1.ObjectMeta handler:!s overhead:*node/v1.Overhead scheduling:*node/v1.Scheduling
node/v1.Scheduling nodeSelector:^<s tolerations:[core/v1.Toleration
policy/v1.Eviction metadata:meta/v1.ObjectMeta deleteOptions:*meta/v1.DeleteOptions
policy/v1.PodDisruptionBudget metadata:meta/v1.ObjectMeta spec:policy/v1.PodDisruptionBudgetSpec
policy/v1.PodDisruptionBudgetSpec minAvailable:*x selector:*^meta/v1.LabelSelector maxUnavailable:*x unhealthyPodEvictionPolicy:*s
rbac/v1.AggregationRule clusterRoleSelectors:[^meta/v1.LabelSelector
rbac/v1.ClusterRole metadata:meta/v1.ObjectMeta rules:![rbac/v1.PolicyRule aggregationRule:*rbac/v1.AggregationRule
rbac/v1.ClusterRoleBinding metadata:meta/v1.ObjectMeta subjects:[^rbac/v1.Subject roleRef:!^rbac/v1.RoleRef
rbac/v1.PolicyRule verbs:![s apiGroups:[s resources:[s resourceNames:[s nonResourceURLs:[s
rbac/v1.Role metadata:meta/v1.ObjectMeta rules:![rbac/v1.PolicyRule
rbac/v1.RoleBinding metadata:meta/v1.ObjectMeta subjects:[^rbac/v1.Subject roleRef:!^rbac/v1.RoleRef
rbac/v1.RoleRef apiGroup:!s kind:!s name:!s
rbac/v1.Subject kind:!s apiGroup:s name:!s namespace:s
resource/v1.CELDeviceSelector expression:!s
resource/v1.CapacityRequestPolicy default:*q validValues:[q validRange:*resource/v1.CapacityRequestPolicyRange
resource/v1.CapacityRequestPolicyRange min:*q max:*q step:*q
resource/v1.CapacityRequirements requests:<q
resource/v1.Counter value:!q
resource/v1.CounterSet name:!s counters:<resource/v1.Counter
resource/v1.Device name:!s attributes:<resource/v1.DeviceAttribute capacity:<resource/v1.DeviceCapacity consumesCounters:[resource/v1.DeviceCounterConsumption nodeName:*s nodeSelector:*^core/v1.NodeSelector allNodes:*b taints:[resource/v1.DeviceTaint bindsToNode:*b bindingConditions:[s bindingFailureConditions:[s allowMultipleAllocations:*b nodeAllocatableResources:<resource/v1.NodeAllocatableResource
resource/v1.DeviceAttribute int:*i bool:*b string:*s version:*s ints:[i bools:[b strings:[s versions:[s
resource/v1.DeviceCapacity value:!q requestPolicy:*resource/v1.CapacityRequestPolicy
resource/v1.DeviceClaim requests:![resource/v1.DeviceRequest constraints:[resource/v1.DeviceConstraint config:[resource/v1.DeviceClaimConfiguration
resource/v1.DeviceClaimConfiguration requests:[s opaque:*resource/v1.OpaqueDeviceConfiguration
resource/v1.DeviceClass metadata:meta/v1.ObjectMeta spec:!resource/v1.DeviceClassSpec
resource/v1.DeviceClassConfiguration opaque:*resource/v1.OpaqueDeviceConfiguration
resource/v1.DeviceClassSpec selectors:[resource/v1.DeviceSelector config:[resource/v1.DeviceClassConfiguration extendedResourceName:*s
resource/v1.DeviceConstraint requests:[s matchAttribute:*s distinctAttribute:*s
resource/v1.DeviceCounterConsumption counterSet:!s counters:<resource/v1.Counter compatibilityGroups:[s
resource/v1.DeviceDerivedAttribute name:!s expression:!s
resource/v1.DeviceRequest name:!s exactly:*resource/v1.ExactDeviceRequest firstAvailable:[resource/v1.DeviceSubRequest
resource/v1.DeviceSelector cel:*resource/v1.CELDeviceSelector
resource/v1.DeviceSubRequest name:!s deviceClassName:!s selectors:[resource/v1.DeviceSelector allocationMode:s count:i tolerations:[resource/v1.DeviceToleration capacity:*resource/v1.CapacityRequirements derivedAttributes:[resource/v1.DeviceDerivedAttribute
resource/v1.DeviceTaint key:!s value:s effect:!s timeAdded:*t
resource/v1.DeviceTaintRule metadata:meta/v1.ObjectMeta spec:!resource/v1.DeviceTaintRuleSpec
resource/v1.DeviceTaintRuleSpec deviceSelector:*resource/v1.DeviceTaintSelector taint:resource/v1.DeviceTaint
resource/v1.DeviceTaintSelector driver:*s pool:*s device:*s
resource/v1.DeviceToleration key:s operator:s="Equal" value:s effect:s tolerationSeconds:*i
resource/v1.ExactDeviceRequest deviceClassName:!s selectors:[resource/v1.DeviceSelector allocationMode:s count:i adminAccess:*b tolerations:[resource/v1.DeviceToleration capacity:*resource/v1.CapacityRequirements derivedAttributes:[resource/v1.DeviceDerivedAttribute
resource/v1.NodeAllocatableMapping capacityKey:*s capacityMultiplier:*q deviceMultiplier:*q
resource/v1.NodeAllocatableOverhead perPod:*q perContainer:*q
resource/v1.NodeAllocatableResource mapping:*resource/v1.NodeAllocatableMapping overhead:*resource/v1.NodeAllocatableOverhead
resource/v1.OpaqueDeviceConfiguration driver:!s parameters:!j
resource/v1.ResourceClaim metadata:meta/v1.ObjectMeta spec:!resource/v1.ResourceClaimSpec
resource/v1.ResourceClaimSpec devices:!resource/v1.DeviceClaim
resource/v1.ResourceClaimTemplate metadata:meta/v1.ObjectMeta spec:!resource/v1.ResourceClaimTemplateSpec
resource/v1.ResourceClaimTemplateSpec metadata:meta/v1.ObjectMeta spec:!resource/v1.ResourceClaimSpec
resource/v1.ResourcePool name:!s generation:!i resourceSliceCount:!i
resource/v1.ResourceSlice metadata:meta/v1.ObjectMeta spec:!resource/v1.ResourceSliceSpec
resource/v1.ResourceSliceSpec driver:!s pool:!resource/v1.ResourcePool nodeName:*s nodeSelector:*^core/v1.NodeSelector allNodes:*b devices:[resource/v1.Device perDeviceNodeSelection:*b sharedCounters:[resource/v1.CounterSet partitionTypeAttribute:*s skipNodeOperations:{s
scheduling/v1.PriorityClass metadata:meta/v1.ObjectMeta value:!i globalDefault:b description:s preemptionPolicy:*s
scheduling/v1alpha3.TopologyConstraint key:!s
scheduling/v1alpha3.WorkloadPodGroupAllDisruptionMode
scheduling/v1alpha3.WorkloadPodGroupBasicSchedulingPolicy
scheduling/v1alpha3.WorkloadPodGroupDisruptionMode single:*scheduling/v1alpha3.WorkloadPodGroupSingleDisruptionMode all:*scheduling/v1alpha3.WorkloadPodGroupAllDisruptionMode
scheduling/v1alpha3.WorkloadPodGroupGangSchedulingPolicy minCount:*i
scheduling/v1alpha3.WorkloadPodGroupResourceClaim name:!s resourceClaimName:*s resourceClaimTemplateName:*s
scheduling/v1alpha3.WorkloadPodGroupSchedulingConstraints topology:[scheduling/v1alpha3.TopologyConstraint
scheduling/v1alpha3.WorkloadPodGroupSchedulingPolicy basic:*scheduling/v1alpha3.WorkloadPodGroupBasicSchedulingPolicy gang:*scheduling/v1alpha3.WorkloadPodGroupGangSchedulingPolicy
scheduling/v1alpha3.WorkloadPodGroupSingleDisruptionMode
storage/v1.CSIDriver metadata:meta/v1.ObjectMeta spec:!storage/v1.CSIDriverSpec
storage/v1.CSIDriverSpec attachRequired:*b podInfoOnMount:*b volumeLifecycleModes:{s storageCapacity:*b fsGroupPolicy:*s tokenRequests:[storage/v1.TokenRequest requiresRepublish:*b seLinuxMount:*b nodeAllocatableUpdatePeriodSeconds:*i serviceAccountTokenInSecrets:*b preventPodSchedulingIfMissing:*b
storage/v1.CSINode metadata:meta/v1.ObjectMeta spec:!storage/v1.CSINodeSpec
storage/v1.CSINodeDriver name:!s nodeID:!s topologyKeys:![s allocatable:*storage/v1.VolumeNodeResources
storage/v1.CSINodeSpec drivers:!(name)storage/v1.CSINodeDriver
storage/v1.CSIStorageCapacity metadata:meta/v1.ObjectMeta nodeTopology:*^meta/v1.LabelSelector storageClassName:!s capacity:*q maximumVolumeSize:*q
storage/v1.StorageClass metadata:meta/v1.ObjectMeta provisioner:!s parameters:<s reclaimPolicy:*s mountOptions:[s allowVolumeExpansion:*b volumeBindingMode:*s allowedTopologies:[^core/v1.TopologySelectorTerm
storage/v1.TokenRequest audience:!s expirationSeconds:*i
storage/v1.VolumeAttachment metadata:meta/v1.ObjectMeta spec:!storage/v1.VolumeAttachmentSpec
storage/v1.VolumeAttachmentSource persistentVolumeName:*s inlineVolumeSpec:*core/v1.PersistentVolumeSpec
storage/v1.VolumeAttachmentSpec attacher:!s source:!storage/v1.VolumeAttachmentSource nodeName:!s
storage/v1.VolumeAttributesClass metadata:meta/v1.ObjectMeta driverName:!s parameters:<s
storage/v1.VolumeNodeResources count:*i
storagemigration/v1.StorageVersionMigration metadata:meta/v1.ObjectMeta spec:storagemigration/v1.StorageVersionMigrationSpec
storagemigration/v1.StorageVersionMigrationSpec resource:!meta/v1.GroupResource
`;
