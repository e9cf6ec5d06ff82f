// What Swift sees of libpcap, 1.10 or later.
#pragma once

#include <pcap/pcap.h>
