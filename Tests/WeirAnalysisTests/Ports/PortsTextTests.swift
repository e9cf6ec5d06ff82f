import Testing
import WeirEngine
import WeirWire

@testable import WeirAnalysis

@Suite("Reports of ports, whole")
struct PortsTextTests {
    private func text(_ report: PortReport, color: Bool = false) -> String {
        var output = ByteBuffer()
        PortsText(color: color).append(report, to: &output)
        return output.string
    }

    @Test(
        "The report of each model's ports says this",
        arguments: [
            (
                .linuxConnect, 1000,
                """
                client 10.0.0.2 tcp: linux-connect, confidence 0.999999, 1000 samples, 2 destinations in 20.0 s
                  because  100% of ports are even, by chance 1 in 10^301; 99.6% of steps within a destination lead 1\
                 to 64 forward, 49% in the order of all; small steps: 2 (13%), 4 (13%), 6 (12%), 8 (13%), 10 (13%), \
                12 (11%), 14 (13%), 16 (12%); 4 of 4 jumps keep to a period of 10 s, at 0.00 s of it; spread 1.07 \
                of a uniform choice's
                  range    32768-60999, taken for it, Linux since 4.2; seen 34602-57890
                  spread   deviation 8741, of a uniform choice's 1.07; chi-square 3440.6 (15 degrees, p 0.000); seri\
                al correlation 0.22
                  entropy  4.82 of 7.00 bits in 128 bins, corrected by 0.02
                  reuse    78 times a port came again, 17.5 expected of a uniform choice; after 342 choices at t\
                he least, 363 in the median, 6.840 s
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it

                """
            ),
            (
                .linuxLocalRange, 60,
                """
                client 10.0.0.2 tcp: linux-local-range, confidence 0.999999, 60 samples, 2 destinations in 1.2 s
                  because  both parities, 43% even; 98% of steps within a destination lead 1 to 64 forward, 42% in t\
                he order of all; small steps: 1 (14%), 2 (14%), 3 (11%), 4 (16%), 5 (7%), 6 (12%), 7 (9%), 8 (18%); \
                spread 0.04 of a uniform choice's
                  range    32768-60999, taken for it, Linux since 4.2; seen 40002-40996
                  spread   deviation 338, of a uniform choice's 0.04; chi-square 900.0 (15 degrees, p 0.000); serial\
                 correlation 0.26
                  entropy  0.00 of 3.00 bits in 8 bins, corrected by 0.00
                  reuse    0 times a port came again, 0.1 expected of a uniform choice
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it

                """
            ),
            (
                .macOS, 40,
                """
                client 10.0.0.2 tcp: sequential, confidence 0.999999, 40 samples, 2 destinations in 0.8 s
                  because  both parities, 50% even; 100% of steps within a destination lead 1 to 64 forward, 100% in\
                 the order of all; small steps: 1 (47%), 2 (34%), 3 (8%), 4 (5%), 5 (3%), 6 (3%); spread 0.00 of a u\
                niform choice's
                  range    49152-65535, taken for it, IANA's: macOS, Windows since Vista; seen 60627-60666
                  spread   deviation 12, of a uniform choice's 0.00; chi-square 600.0 (15 degrees, p 0.000); serial \
                correlation 0.93
                  entropy  0.00 of 3.00 bits in 8 bins, corrected by 0.00
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it

                """
            ),
            (
                .uniform, 3000,
                """
                client 10.0.0.2 tcp: uniform-random, confidence 0.999999, 3000 samples, 2 destinations in 60.0 s
                  because  both parities, 50% even; 0.3% of steps within a destination lead 1 to 64 forward, 0.3% in\
                 the order of all; spread 1.00 of a uniform choice's
                  range    32768-60999, taken for it, Linux since 4.2; seen 32778-60978
                  spread   deviation 8180, of a uniform choice's 1.00; chi-square 10.3 (15 degrees, p 0.798); serial\
                 correlation -0.03
                  entropy  8.00 of 8.00 bits in 256 bins, corrected by 0.06
                  reuse    139 times a port came again, 153.8 expected of a uniform choice; after 36 choices at \
                the least, 971 in the median, 0.720 s
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it
                  caveat   random-start-possible: a random start with a linear search looks the same while few ports\
                 are in use

                """
            ),
            (
                .linuxBindReuse, 40,
                """
                client 10.0.0.2 tcp: lower-half-bind, confidence 0.999999, 40 samples, 2 destinations in 0.8 s
                  because  100% of ports are odd, by chance 1 in 10^12; 0% of steps within a destination lead 1 to 6\
                4 forward, 0% in the order of all; spread 0.50 of a uniform choice's
                  range    32768-60999, taken for it, Linux since 4.2; seen 33013-45977
                  spread   deviation 4098, of a uniform choice's 0.50; chi-square 42.4 (15 degrees, p 0.000); serial\
                 correlation -0.12
                  entropy  2.05 of 3.00 bits in 8 bins, corrected by 0.05
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it
                  caveat   bound-by-caller: the program bound its socket before it connected, or listens: connect al\
                one would choose otherwise

                """
            ),
            (
                .twoHosts, 120,
                """
                client 10.0.0.2 tcp: mixed, confidence 0.999999, 120 samples, 2 destinations in 2.4 s
                  because  100% of ports are even, by chance 1 in 10^36; 58% of steps within a destination lead 1 to\
                 64 forward, 29% in the order of all; small steps: 2 (19%), 4 (13%), 6 (14%), 8 (6%), 10 (9%), 12 (1\
                6%), 14 (7%), 16 (16%); spread 1.22 of a uniform choice's
                  range    34585-40795, estimated; seen 34636-40744
                  spread   deviation 2181, of a uniform choice's 1.22; chi-square 369.6 (15 degrees, p 0.000); seria\
                l correlation 0.03
                  entropy  2.00 of 4.00 bits in 16 bins, corrected by 0.02
                  reuse    0 times a port came again, 1.1 expected of a uniform choice
                  caveat   nat-suspected: several hosts or allocators may share this address; a NAT that rewrites po\
                rts hides them
                  caveat   range-estimated: the range is not known, and estimated from the ports

                """
            ),
            (
                .freeBSDFast, 64,
                """
                client 10.0.0.2 tcp: sequential-random-start, confidence 0.999999, 64 samples, 2 destinations in \
                1.3 s
                  because  both parities, 48% even; 71% of steps within a destination lead 1 to 64 forward, 84% in t\
                he order of all; small steps: 1 (52%), 2 (34%), 3 (9%), 4 (5%); spread 1.06 of a uniform choice's
                  range    10000-65535, taken for it, FreeBSD; seen 15765-60738
                  spread   deviation 17028, of a uniform choice's 1.06; chi-square 104.5 (15 degrees, p 0.000); seri\
                al correlation 0.83
                  entropy  2.69 of 3.00 bits in 8 bins, corrected by 0.07
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it

                """
            ),
            (
                .windows, 8,
                """
                client 10.0.0.2 tcp: sequential-per-destination, confidence 0.999994, 8 samples, 2 destinations i\
                n 0.1 s
                  because  both parities, 50% even; 100% of steps within a destination lead 1 to 64 forward, 14% in \
                the order of all; small steps: 1 (100%); spread 0.82 of a uniform choice's
                  range    49152-65535, taken for it, IANA's: macOS, Windows since Vista; seen 54381-61648
                  spread   deviation 3883, of a uniform choice's 0.82; chi-square 56.0 (15 degrees, p 0.000); serial\
                 correlation -0.63
                  entropy  0.00 of 0.00 bits in 1 bin, corrected by 0.00
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it

                """
            ),
            (
                .macOS, 7,
                """
                client 10.0.0.2 tcp: too-few, 7 samples, 2 destinations in 0.1 s
                  because  7 samples of 8 at least

                """
            ),
            (
                .macOS, 1,
                """
                client 10.0.0.2 tcp: too-few, 1 sample, 1 destination in 0.0 s
                  because  1 sample of 8 at least

                """
            ),
        ] as [(SyntheticPorts.Model, Int, String)]
    )
    func models(_ model: SyntheticPorts.Model, _ count: Int, _ expected: String) {
        #expect(text(PortAnalysis.report(SyntheticPorts.series(model, count: count, seed: 3))) == expected)
    }

    @Test("A range in force is said with what set it, and sides with their relay")
    func known() {
        let plain = SyntheticPorts.series(.linuxConnect, count: 8, seed: 3)
        let range = PortRange(32_768, 60_999)
        var lines: [String] = []
        for side in [PortSide.client, .egress] {
            for count in [1, 8] {
                var series = PortSeries(PortSeriesKey(client: plain.key.client, transport: .udp, side: side))
                for index in 0..<count { series.add(plain.ports[index], to: plain.destinations[0], at: nil) }
                let name = side == .client ? "a setting" : nil
                lines.append(
                    text(PortAnalysis.report(series, known: name.map { PortRange.Known(range: range, name: $0) }))
                )
                lines.append(text(PortAnalysis.report(series, range: range), color: true))
            }
        }
        #expect(
            lines.joined() == """
                client 10.0.0.2 udp, to the relay: too-few, 1 sample, 1 destination
                  because  1 sample of 8 at least
                  range    32768-60999, in force (a setting); seen 40492-40492
                client 10.0.0.2 udp, to the relay: \u{1b}[1mtoo-few\u{1b}[0m, 1 sample, 1 destination
                  because  1 sample of 8 at least
                  range    32768-60999, in force; seen 40492-40492
                client 10.0.0.2 udp, to the relay: mixed, confidence 0.999999, 8 samples, 1 destination
                  because  both parities, 100% even; 29% of steps within a destination lead 1 to 64 forward; small s\
                teps: 12 (50%), 16 (50%); spread 0.37 of a uniform choice's from 32768-60999
                  range    32768-60999, in force (a setting); seen 34636-40506
                  spread   deviation 3020, of a uniform choice's 0.37; chi-square 60.0 (15 degrees, p 0.000); serial\
                 correlation -0.47
                  entropy  0.00 of 0.00 bits in 1 bin, corrected by 0.00
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   through-a-relay: the destination is the relay: the counter is that of client, relay addre\
                ss and relay port; the class is the same, the numbers are others
                  caveat   nat-suspected: several hosts or allocators may share this address; a NAT that rewrites po\
                rts hides them
                  caveat   one-destination: all flows went to one destination: counters of others are not seen
                  caveat   no-times: times are not known: steps over a change of key cannot be told
                client 10.0.0.2 udp, to the relay: \u{1b}[1mmixed\u{1b}[0m, confidence 0.999999, 8 samples, 1 destination
                  because  both parities, 100% even; 29% of steps within a destination lead 1 to 64 forward; small s\
                teps: 12 (50%), 16 (50%); spread 0.37 of a uniform choice's from 32768-60999
                  range    32768-60999, in force; seen 34636-40506
                  spread   deviation 3020, of a uniform choice's 0.37; chi-square 60.0 (15 degrees, p 0.000); serial\
                 correlation -0.47
                  entropy  0.00 of 0.00 bits in 1 bin, corrected by 0.00
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   through-a-relay: the destination is the relay: the counter is that of client, relay addre\
                ss and relay port; the class is the same, the numbers are others
                  caveat   nat-suspected: several hosts or allocators may share this address; a NAT that rewrites po\
                rts hides them
                  caveat   one-destination: all flows went to one destination: counters of others are not seen
                  caveat   no-times: times are not known: steps over a change of key cannot be told
                egress 10.0.0.2 udp, from the relay: too-few, 1 sample, 1 destination
                  because  1 sample of 8 at least
                egress 10.0.0.2 udp, from the relay: \u{1b}[1mtoo-few\u{1b}[0m, 1 sample, 1 destination
                  because  1 sample of 8 at least
                  range    32768-60999, in force; seen 40492-40492
                egress 10.0.0.2 udp, from the relay: mixed, confidence 0.999999, 8 samples, 1 destination
                  because  both parities, 100% even; 29% of steps within a destination lead 1 to 64 forward; small s\
                teps: 12 (50%), 16 (50%); spread 0.37 of a uniform choice's
                  range    32768-60999, taken for it, Linux since 4.2; seen 34636-40506
                  spread   deviation 3020, of a uniform choice's 0.37; chi-square 60.0 (15 degrees, p 0.000); serial\
                 correlation -0.47
                  entropy  0.00 of 0.00 bits in 1 bin, corrected by 0.00
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   nat-suspected: several hosts or allocators may share this address; a NAT that rewrites po\
                rts hides them
                  caveat   range-assumed: the range is not known: a known one that the ports fit is taken for it
                  caveat   one-destination: all flows went to one destination: counters of others are not seen
                  caveat   no-times: times are not known: steps over a change of key cannot be told
                egress 10.0.0.2 udp, from the relay: \u{1b}[1mmixed\u{1b}[0m, confidence 0.999999, 8 samples, 1 destination
                  because  both parities, 100% even; 29% of steps within a destination lead 1 to 64 forward; small s\
                teps: 12 (50%), 16 (50%); spread 0.37 of a uniform choice's from 32768-60999
                  range    32768-60999, in force; seen 34636-40506
                  spread   deviation 3020, of a uniform choice's 0.37; chi-square 60.0 (15 degrees, p 0.000); serial\
                 correlation -0.47
                  entropy  0.00 of 0.00 bits in 1 bin, corrected by 0.00
                  reuse    0 times a port came again, 0.0 expected of a uniform choice
                  caveat   nat-suspected: several hosts or allocators may share this address; a NAT that rewrites po\
                rts hides them
                  caveat   one-destination: all flows went to one destination: counters of others are not seen
                  caveat   no-times: times are not known: steps over a change of key cannot be told

                """
        )
    }
}
