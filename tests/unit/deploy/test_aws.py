"""The CloudFormation templates: lint finds nothing, moto makes the stack, and the predecessor's commands work on it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

AWS = Path(__file__).parents[3] / "deploy/aws"
REGION = "us-west-2"
UNKNOWN_TO_MOTO = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::S3::BucketPolicy",
    "AWS::SecretsManager::Secret",
}
"""What moto passes over; cfn-lint alone has looked at it."""
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")

Make = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Creates the stack of ecs.yml with parameters; gives the resources that moto made of it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody's")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)

    def made(**parameters: str) -> list[dict[str, Any]]:
        given = network() | parameters
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(
            StackName="perfcast",
            TemplateBody=(AWS / "ecs.yml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        [stack] = cloudformation.describe_stacks(StackName="perfcast")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        resources = cloudformation.describe_stack_resources(StackName="perfcast")["StackResources"]
        return [resource for resource in resources if "LogicalResourceId" in resource]

    with mock_aws():
        yield made


def network() -> dict[str, str]:
    """A network, and a certificate for its names."""
    [vpc, *_] = boto3.client("ec2").describe_vpcs()["Vpcs"]
    subnets = ",".join(subnet["SubnetId"] for subnet in boto3.client("ec2").describe_subnets()["Subnets"][:2])
    certificate = boto3.client("acm").request_certificate(DomainName="*.perfcast.example.com")
    return {
        "VpcId": vpc["VpcId"],
        "VpcCidr": vpc["CidrBlock"],
        "PublicSubnets": subnets,
        "PrivateSubnets": subnets,
        "CertificateArn": certificate["CertificateArn"],
    }


class _Reader(yaml.SafeLoader):
    """Reads CloudFormation's YAML; what a function like `!Sub` is given stands in its place."""


def _given(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Reader.add_multi_constructor("!", _given)


def template(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load((AWS / name).read_text(), Loader=_Reader)
    return read


def properties(kind: str) -> dict[str, dict[str, Any]]:
    resources = template("ecs.yml")["Resources"].items()
    return {name: resource["Properties"] for name, resource in resources if resource["Type"] == kind}


def test_lint_finds_nothing() -> None:
    command = [Path(sys.executable).parent / "cfn-lint", *sorted(AWS.glob("*.yml"))]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_the_predecessors_commands_work_on_the_stack(make: Make) -> None:
    resources = make()
    ecs = boto3.client("ecs")

    # aws ecr get-login-password | docker login; docker push ….dkr.ecr.us-west-2.amazonaws.com/cnn-predictor:latest
    repository = "123456789012.dkr.ecr.us-west-2.amazonaws.com/cnn-predictor"
    assert boto3.client("ecr").get_authorization_token()["authorizationData"]
    assert repository in {one["repositoryUri"] for one in boto3.client("ecr").describe_repositories()["repositories"]}
    # aws ecs update-service --cluster ml-cluster --service cnn-predictor --force-new-deployment
    service = ecs.update_service(cluster="ml-cluster", service="cnn-predictor", forceNewDeployment=True)["service"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert task["containerDefinitions"][0]["image"] == f"{repository}:latest"
    assert service["desiredCount"] == 3

    made = {resource["ResourceType"] for resource in resources}
    declared = {resource["Type"] for resource in template("ecs.yml")["Resources"].values()}
    assert declared - made == UNKNOWN_TO_MOTO


def test_nothing_runs_before_images_and_database_are_there(make: Make) -> None:
    make(Started="no")
    ecs = boto3.client("ecs")

    services = ecs.describe_services(cluster="ml-cluster", services=["cnn-predictor", "perfcast-worker", "perfcast-ui"])
    assert [service["desiredCount"] for service in services["services"]] == [0, 0, 0]
    for target in properties("AWS::ApplicationAutoScaling::ScalableTarget").values():
        assert target["MinCapacity"][0] == target["MaxCapacity"][0] == "IsStarted"
        assert target["MinCapacity"][2] == target["MaxCapacity"][2] == 0


def test_addresses_with_passwords_are_secrets_and_the_ui_has_no_key() -> None:
    secret = {"API_KEY", "DATABASE_URL", "REDIS_URL"}
    given: dict[str, set[str]] = {}
    for task in properties("AWS::ECS::TaskDefinition").values():
        for container in task["ContainerDefinitions"]:
            assert not secret & {variable["Name"] for variable in container.get("Environment", [])}
            given[container["Name"]] = {variable["Name"] for variable in container.get("Secrets", [])}

    assert given == {"api": secret, "worker": {"DATABASE_URL", "REDIS_URL"}, "ui": {"REDIS_URL"}, "metrics": set()}


def test_our_containers_ask_for_little() -> None:
    for task in properties("AWS::ECS::TaskDefinition").values():
        own = task["ContainerDefinitions"][0]
        assert own["User"] == "10001"
        assert own["ReadonlyRootFilesystem"] is True
        assert own["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
        assert [mount["ContainerPath"] for mount in own["MountPoints"]] == ["/app/var"]


def test_state_is_encrypted_kept_and_reached_by_tasks_alone() -> None:
    [database], [bucket] = properties("AWS::RDS::DBInstance").values(), properties("AWS::S3::Bucket").values()
    [redis] = properties("AWS::ElastiCache::ReplicationGroup").values()
    resources, groups = template("ecs.yml")["Resources"], properties("AWS::EC2::SecurityGroup")

    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is False
    assert redis["TransitEncryptionEnabled"] is True
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert resources["Database"]["DeletionPolicy"] == "Snapshot"
    assert resources["Artifacts"]["DeletionPolicy"] == "Retain"
    for name in ("DatabaseGroup", "RedisGroup"):
        assert [rule["SourceSecurityGroupId"] for rule in groups[name]["SecurityGroupIngress"]] == ["TaskGroup"]


def test_a_task_that_ends_drains_for_as_long_as_the_load_balancer_takes_to_notice() -> None:
    [targets, _] = properties("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    [api, *_] = properties("AWS::ECS::TaskDefinition")["ApiTask"]["ContainerDefinitions"]
    [drain] = [float(variable["Value"]) for variable in api["Environment"] if variable["Name"] == "DRAIN_SECONDS"]

    assert targets["HealthCheckPath"] == "/readyz"
    assert drain >= 2 * targets["HealthCheckIntervalSeconds"]
    assert api["StopTimeout"] > drain + 20


def test_github_may_deploy_and_nothing_else() -> None:
    role = template("github.yml")["Resources"]["DeployRole"]["Properties"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    [policy] = role["Policies"]

    told = trust["Condition"]["StringEquals"]
    assert told["token.actions.githubusercontent.com:sub"] == "repo:${Repository}:environment:production"
    assert told["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action for action in actions)
        assert statement["Resource"] != "*" or actions == ["ecr:GetAuthorizationToken"]
