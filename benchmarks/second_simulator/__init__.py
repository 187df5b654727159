"""A second simulator with other physics than ``seston.simulate``: to see what holds on more than one made-up world.

Nobody tunes a recipe on it. Bodies are sets of convex parts in three dimensions, traced by rays. A picture is coherent
infrared light behind a complex transmittance, carried out of focus by the angular spectrum; a profile is scattered and
emitted light of two laser beams, gone through a detector with shot noise, afterglow, ringing, AC coupling and
saturation. The particle tumbles between lasers and camera.

::

    simulate_measurements(Path("files"), runs=9, particles=500, seed=1)
"""

from second_simulator.measurements import simulate_measurements

__all__ = ["simulate_measurements"]
