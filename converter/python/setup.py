"""What pyproject.toml cannot say: a wheel with a program in it is for a platform, and for any Python 3.

Called by build_wheel.sh, which knows the program.
"""

import os

from setuptools import Distribution, setup
from wheel.bdist_wheel import bdist_wheel


class ProgramDistribution(Distribution):
    def has_ext_modules(self):
        return True


class ProgramWheel(bdist_wheel):
    def get_tag(self):
        return "py3", "none", os.environ["HANDPICK_WHEEL_PLATFORM"]


setup(version=os.environ["HANDPICK_WHEEL_VERSION"], distclass=ProgramDistribution, cmdclass={"bdist_wheel": ProgramWheel})
