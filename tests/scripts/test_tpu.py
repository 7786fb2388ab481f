"""tpu.sh over a gcloud that stands in for a TPU of two hosts: their homes are folders here."""

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.scripts.stubs import Checkout, write

_GCLOUD = """#!/usr/bin/env bash
# What it was asked for stands in `calls`, the states that `describe` will answer in `states` (the
# last one stays); the homes of the hosts are folders, gone with the TPU.
set -euo pipefail
cd {cloud}
printf '%s\\n' "$3 $4" >>calls
case "$3 $4" in
  'queued-resources create') printf 'PROVISIONING\\nACTIVE\\n' >states; mkdir -p host0 host1 ;;
  'queued-resources delete') rm -rf states host0 host1 ;;
  'queued-resources describe')
    head -n 1 states
    if [[ $(wc -l <states) -gt 1 ]]; then sed -i 1d states; fi ;;
  'tpu-vm describe') printf '10.0.0.1\\n10.0.0.2\\n' ;;
  'tpu-vm scp') for host in 0 1; do cp "$5" "host$host/${{6#*:}}"; done ;;
  'tpu-vm ssh')
    for argument in "$@"; do
      case $argument in
        --worker=*) workers=${{argument#*=}} ;;
        --command=*) command=${{argument#*=}} ;;
      esac
    done
    if [[ $workers == all ]]; then workers='0 1'; fi
    for worker in $workers; do (cd "host$worker" && bash -c "$command"); done ;;
esac
"""
# On a host: uv makes an interpreter that writes down what it runs, and leaves as it is told.
_HOST_PYTHON = """#!/usr/bin/env bash
if [[ "$2 $3" == 'uv venv' ]]; then mkdir -p .venv/bin; cp {program} .venv/bin/python; fi
"""
_PROGRAM = """#!/usr/bin/env bash
trap 'echo saved; exit 5' TERM
printf 'ran: %s\\n' "${*@Q}"
host=${PWD%/tlda}
codes={cloud}/codes-${host##*/}
read -r code <"$codes"
sed -i 1d "$codes"
while [[ $code == wait ]]; do sleep 0.05; done
if [[ $code == preempted ]]; then echo SUSPENDING >{cloud}/states; exit 5; fi
exit "$code"
"""
RUN = ['pod', 'experiments.digits', '--workdir=gs://bucket/x', '--note=a b']


class Cloud:
  """The stand-in, and a checkout to start from."""

  def __init__(self, folder: Path) -> None:
    self.checkout = Checkout(folder)
    self.folder = folder / 'cloud'
    self.folder.mkdir()
    for tool in ('cp', 'head', 'nohup', 'sed', 'tail', 'wc', 'gzip'):
      (self.checkout.bin / tool).symlink_to(f'/usr/bin/{tool}')
    write(self.checkout.bin / 'gcloud', _GCLOUD.format(cloud=self.folder))
    program = write(self.folder / 'program', _PROGRAM.replace('{cloud}', str(self.folder)))
    write(self.checkout.bin / 'python3', _HOST_PYTHON.format(program=program))

  def answer(self, *, states: Sequence[str] = (), codes: Sequence[str] = ()) -> None:
    """Sets what `describe` will answer, and how programs will leave, on each host."""
    (self.folder / 'states').write_text(''.join(f'{state}\n' for state in states))
    for host in (0, 1):
      (self.folder / f'codes-host{host}').write_text(''.join(f'{code}\n' for code in codes))

  def run(self, *arguments: str, **environment: str) -> CompletedProcess:
    """Runs tpu.sh."""
    return self.checkout.run('scripts/tpu.sh', *arguments, **{'POLL': '0.05'} | environment)

  def changes(self) -> list[str]:
    """Returns the verbs of gcloud that changed something."""
    calls = (self.folder / 'calls').read_text().splitlines()
    return [call for call in calls if call.split()[1] in ('create', 'delete', 'scp')]


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
  return Cloud(tmp_path)


def _wait_for(text: str, cloud: Cloud, host: int) -> None:
  for _ in range(200):
    log = cloud.folder / f'host{host}' / 'tlda' / 'run.log'
    if log.exists() and text in log.read_text():
      return
    time.sleep(0.05)
  raise AssertionError(f'{text!r} not on host {host}')


def test_dry_run_prints_what_it_would_do(cloud: Cloud) -> None:
  result = cloud.run('create', 'pod', DRY_RUN='1', ZONE='somewhere', ACCELERATOR='v6e-8')
  assert result.returncode == 0
  assert result.stderr.splitlines()[0].strip() == (
    'gcloud compute tpus queued-resources create pod --node-id=pod --spot '
    '--accelerator-type=v6e-8 --runtime-version=v2-alpha-tpuv5-lite --zone=somewhere'
  )
  assert not (cloud.folder / 'calls').exists()


@pytest.mark.parametrize(
  ('command', 'expected'),
  [
    ('delete', ['queued-resources', 'delete', 'pod', '--force']),
    ('logs', ['tpu-vm', 'ssh', 'pod', '--worker=0', '--command=tail -n 100 -F tlda/run.log']),
    (
      'stop',
      ['tpu-vm', 'ssh', 'pod', '--worker=all', '--command=kill -TERM "$(cat tlda/run.pid)"'],
    ),
  ],
)
def test_dry_run_of_one_command(cloud: Cloud, command: str, expected: list[str]) -> None:
  result = cloud.run(command, 'pod', DRY_RUN='1', ZONE='z')
  assert shlex.split(result.stderr) == ['gcloud', 'compute', 'tpus', *expected, '--zone=z']


def test_create_waits_until_the_tpu_is_there(cloud: Cloud) -> None:
  result = cloud.run('create', 'pod')
  assert result.returncode == 0, result.stderr
  assert result.stdout == 'pod: PROVISIONING\n'


def test_create_says_when_the_request_failed(cloud: Cloud) -> None:
  gcloud = (cloud.checkout.bin / 'gcloud').read_text()
  write(cloud.checkout.bin / 'gcloud', gcloud.replace('PROVISIONING', 'FAILED'))
  result = cloud.run('create', 'pod')
  assert (result.returncode, result.stderr) == (2, 'The request for pod ended as FAILED.\n')


def test_the_same_program_starts_on_every_host_and_can_be_stopped(cloud: Cloud) -> None:
  cloud.answer(codes=['wait'])
  for command in ('create', 'setup'):
    result = cloud.run(command, 'pod')
    assert result.returncode == 0, result.stderr
  assert (cloud.folder / 'host1' / 'tlda' / 'requirements.txt').exists()
  assert cloud.run('run', *RUN).returncode == 0
  line = "ran: '-m' 'experiments.digits' '--multihost' '--workdir=gs://bucket/x' '--note=a b'\n"
  for host in (0, 1):
    _wait_for(line, cloud, host)
  again = cloud.run('run', *RUN)
  assert (again.returncode, again.stderr) == (2, 'A program runs on pod already: stop it first.\n')
  assert cloud.run('stop', 'pod').returncode == 0
  for host in (0, 1):
    _wait_for('saved', cloud, host)


def test_hosts_need_a_workdir_that_they_share(cloud: Cloud) -> None:
  result = cloud.run('run', 'pod', 'experiments.digits', '--workdir=runs/x')
  assert result.returncode == 2
  assert result.stderr == 'Hosts share no disk: give --workdir=gs://BUCKET/FOLDER.\n'


def test_keep_goes_on_after_a_preemption(cloud: Cloud) -> None:
  cloud.answer(states=['SUSPENDED'], codes=['preempted', '0'])
  result = cloud.run('keep', *RUN)
  assert result.returncode == 0, result.stderr
  request = ['queued-resources delete', 'queued-resources create', 'tpu-vm scp']
  assert cloud.changes() == request * 2


def test_keep_ends_with_the_code_of_a_program_that_failed(cloud: Cloud) -> None:
  cloud.answer(codes=['3'])
  assert cloud.run('keep', *RUN).returncode == 3
  assert cloud.changes() == ['queued-resources create', 'tpu-vm scp']


@pytest.mark.parametrize('arguments', [[], ['create'], ['run', 'pod'], ['fly', 'pod']])
def test_a_wrong_command_is_one_sentence(cloud: Cloud, arguments: list[str]) -> None:
  result = cloud.run(*arguments)
  assert result.returncode == 2
  assert result.stderr.startswith('Usage: scripts/tpu.sh ')
  assert result.stderr.count('\n') == 1
