// What Swift sees of libyaml, 0.2 or later.
#pragma once

#include <yaml.h>
