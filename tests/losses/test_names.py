from tlda import losses


def test_names_are_sorted_and_each_is_a_loss() -> None:
  assert losses.names() == sorted(losses.names())
  assert {'cross_entropy', 'domain_adversarial', 'entropy'} <= set(losses.names())
  assert all(callable(getattr(losses, name)) for name in losses.names())
