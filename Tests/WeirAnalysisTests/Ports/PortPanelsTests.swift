import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("Panels of ports, whole")
struct PortPanelsTests {
    private func drawn(_ series: PortSeries) -> String {
        var output = ByteBuffer()
        PortPanels(series, PortAnalysis.report(series)).append(to: &output)
        return output.string
    }

    @Test("Ports with times of five destinations are drawn so")
    func times() {
        #expect(
            drawn(SyntheticPorts.series(.linuxConnect, count: 12, seed: 6, destinations: 5, interval: 4)) == """
                <text class="ink" x="70.0" y="24.0" text-anchor="start" font-size="15" >client 10.0.0.2 tcp: linux-c\
                onnect, confidence 0.999998, 12 samples</text>
                <text class="ink" x="70.0" y="46.0" text-anchor="start" >Ports over time</text>
                <path class="rule" d="M70.0 361.6H630.0"/>
                <text class="label" x="64.0" y="365.6" text-anchor="end" >34000</text>
                <path class="rule" d="M70.0 312.1H630.0"/>
                <text class="label" x="64.0" y="316.1" text-anchor="end" >36000</text>
                <path class="rule" d="M70.0 262.6H630.0"/>
                <text class="label" x="64.0" y="266.6" text-anchor="end" >38000</text>
                <path class="rule" d="M70.0 213.1H630.0"/>
                <text class="label" x="64.0" y="217.1" text-anchor="end" >40000</text>
                <path class="rule" d="M70.0 163.6H630.0"/>
                <text class="label" x="64.0" y="167.6" text-anchor="end" >42000</text>
                <path class="rule" d="M70.0 114.1H630.0"/>
                <text class="label" x="64.0" y="118.1" text-anchor="end" >44000</text>
                <path class="rule" d="M70.0 64.6H630.0"/>
                <text class="label" x="64.0" y="68.6" text-anchor="end" >46000</text>
                <path class="axis" d="M70.0 386.0v5"/>
                <text class="label" x="70.0" y="404.0" text-anchor="middle" >0</text>
                <path class="axis" d="M133.6 386.0v5"/>
                <text class="label" x="133.6" y="404.0" text-anchor="middle" >5</text>
                <path class="axis" d="M197.3 386.0v5"/>
                <text class="label" x="197.3" y="404.0" text-anchor="middle" >10</text>
                <path class="axis" d="M260.9 386.0v5"/>
                <text class="label" x="260.9" y="404.0" text-anchor="middle" >15</text>
                <path class="axis" d="M324.5 386.0v5"/>
                <text class="label" x="324.5" y="404.0" text-anchor="middle" >20</text>
                <path class="axis" d="M388.2 386.0v5"/>
                <text class="label" x="388.2" y="404.0" text-anchor="middle" >25</text>
                <path class="axis" d="M451.8 386.0v5"/>
                <text class="label" x="451.8" y="404.0" text-anchor="middle" >30</text>
                <path class="axis" d="M515.5 386.0v5"/>
                <text class="label" x="515.5" y="404.0" text-anchor="middle" >35</text>
                <path class="axis" d="M579.1 386.0v5"/>
                <text class="label" x="579.1" y="404.0" text-anchor="middle" >40</text>
                <path class="axis" d="M70.0 56.0V386.0H630.0"/>
                <text class="label" x="350.0" y="422.0" text-anchor="middle" >time since the first flow, seconds</te\
                xt>
                <text class="label" x="18.0" y="221.0" text-anchor="middle" transform="rotate(-90 18.0 221.0)">port<\
                /text>
                <circle class="d0" cx="70.0" cy="314.1" r="2"/>
                <circle class="d1" cx="120.9" cy="71.0" r="2"/>
                <circle class="d0" cx="171.8" cy="371.0" r="2"/>
                <circle class="d0" cx="222.7" cy="370.9" r="2"/>
                <circle class="d0" cx="273.6" cy="370.5" r="2"/>
                <circle class="d0" cx="324.5" cy="226.4" r="2"/>
                <circle class="d1" cx="375.5" cy="269.4" r="2"/>
                <circle class="d2" cx="426.4" cy="113.5" r="2"/>
                <circle class="d3" cx="477.3" cy="300.9" r="2"/>
                <circle class="d3" cx="528.2" cy="300.8" r="2"/>
                <circle class="d2" cx="579.1" cy="217.1" r="2"/>
                <circle class="d4" cx="630.0" cy="160.1" r="2"/>
                <circle class="d0" cx="74.0" cy="446" r="4"/>
                <text class="label" x="82.0" y="450.0" text-anchor="start" >10.0.1.0:443</text>
                <circle class="d1" cx="188.0" cy="446" r="4"/>
                <text class="label" x="196.0" y="450.0" text-anchor="start" >10.0.1.2:443</text>
                <circle class="d2" cx="302.0" cy="446" r="4"/>
                <text class="label" x="310.0" y="450.0" text-anchor="start" >10.0.1.3:443</text>
                <text class="label" x="412.0" y="450.0" text-anchor="start" >and 2 other destinations</text>
                <text class="ink" x="690.0" y="46.0" text-anchor="start" >Steps within a destination</text>
                <path class="rule" d="M690.0 196.0H930.0"/>
                <text class="label" x="684.0" y="200.0" text-anchor="end" >0</text>
                <path class="rule" d="M690.0 163.6H930.0"/>
                <text class="label" x="684.0" y="167.6" text-anchor="end" >1</text>
                <path class="rule" d="M690.0 131.2H930.0"/>
                <text class="label" x="684.0" y="135.2" text-anchor="end" >2</text>
                <path class="rule" d="M690.0 98.8H930.0"/>
                <text class="label" x="684.0" y="102.8" text-anchor="end" >3</text>
                <path class="rule" d="M690.0 66.4H930.0"/>
                <text class="label" x="684.0" y="70.4" text-anchor="end" >4</text>
                <path class="axis" d="M690.0 196.0v5"/>
                <text class="label" x="690.0" y="214.0" text-anchor="middle" >0</text>
                <path class="axis" d="M758.6 196.0v5"/>
                <text class="label" x="758.6" y="214.0" text-anchor="middle" >10</text>
                <path class="axis" d="M827.1 196.0v5"/>
                <text class="label" x="827.1" y="214.0" text-anchor="middle" >20</text>
                <path class="axis" d="M895.7 196.0v5"/>
                <text class="label" x="895.7" y="214.0" text-anchor="middle" >30</text>
                <path class="axis" d="M690.0 56.0V196.0H930.0"/>
                <text class="label" x="810.0" y="232.0" text-anchor="middle" >step to the next port; the last bar: a\
                ny other</text>
                <text class="label" x="654.0" y="126.0" text-anchor="middle" transform="rotate(-90 654.0 126.0)">cou\
                nt</text>
                <rect class="bar" x="714.7" y="131.2" width="5.5" height="64.8"/>
                <rect class="bar" x="797.0" y="163.6" width="5.5" height="32.4"/>
                <rect class="bar" x="920.4" y="66.4" width="5.5" height="129.6"/>
                <text class="ink" x="690.0" y="256.0" text-anchor="start" >Use of the range 32768-60999 (assumed)</t\
                ext>
                <rect class="known" x="703.3" y="266" width="213.3" height="120"/>
                <path class="rule" d="M690.0 386.0H930.0"/>
                <text class="label" x="684.0" y="390.0" text-anchor="end" >0</text>
                <path class="rule" d="M690.0 349.0H930.0"/>
                <text class="label" x="684.0" y="353.0" text-anchor="end" >1</text>
                <path class="rule" d="M690.0 311.9H930.0"/>
                <text class="label" x="684.0" y="315.9" text-anchor="end" >2</text>
                <path class="rule" d="M690.0 274.9H930.0"/>
                <text class="label" x="684.0" y="278.9" text-anchor="end" >3</text>
                <path class="axis" d="M758.0 386.0v5"/>
                <text class="label" x="758.0" y="404.0" text-anchor="middle" >40000</text>
                <path class="axis" d="M833.5 386.0v5"/>
                <text class="label" x="833.5" y="404.0" text-anchor="middle" >50000</text>
                <path class="axis" d="M909.1 386.0v5"/>
                <text class="label" x="909.1" y="404.0" text-anchor="middle" >60000</text>
                <path class="axis" d="M690.0 266.0V386.0H930.0"/>
                <text class="label" x="810.0" y="422.0" text-anchor="middle" >port, 64 bins; shaded: the range</text\
                >
                <text class="label" x="654.0" y="326.0" text-anchor="middle" transform="rotate(-90 654.0 326.0)">cou\
                nt</text>
                <rect class="bar" x="708.8" y="274.9" width="3.4" height="111.1"/>
                <rect class="bar" x="723.8" y="349.0" width="3.4" height="37.0"/>
                <rect class="bar" x="727.5" y="311.9" width="3.4" height="74.1"/>
                <rect class="bar" x="738.8" y="349.0" width="3.4" height="37.0"/>
                <rect class="bar" x="753.8" y="311.9" width="3.4" height="74.1"/>
                <rect class="bar" x="772.5" y="349.0" width="3.4" height="37.0"/>
                <rect class="bar" x="787.5" y="349.0" width="3.4" height="37.0"/>
                <rect class="bar" x="798.8" y="349.0" width="3.4" height="37.0"/>
                <text class="label" x="690.0" y="436.0" text-anchor="start" >12 different ports, 0 taken again</text\
                >

                """
        )
    }

    @Test("Ports without times to the relay are drawn so")
    func noTimes() {
        var series = PortSeries(PortSeriesKey(client: .loopbackV6, transport: .udp, side: .client))
        for port in [40_000, 40_001, 40_003, 40_000, 50_000] as [UInt16] {
            series.add(port, to: Endpoint(address: .loopbackV6, port: 53), at: nil)
        }
        #expect(
            drawn(series) == """
                <text class="ink" x="70.0" y="24.0" text-anchor="start" font-size="15" >client ::1 udp to the relay:\
                 too-few, 5 samples</text>
                <text class="ink" x="70.0" y="46.0" text-anchor="start" >Ports over time</text>
                <path class="rule" d="M70.0 371.0H630.0"/>
                <text class="label" x="64.0" y="375.0" text-anchor="end" >40000</text>
                <path class="rule" d="M70.0 311.0H630.0"/>
                <text class="label" x="64.0" y="315.0" text-anchor="end" >42000</text>
                <path class="rule" d="M70.0 251.0H630.0"/>
                <text class="label" x="64.0" y="255.0" text-anchor="end" >44000</text>
                <path class="rule" d="M70.0 191.0H630.0"/>
                <text class="label" x="64.0" y="195.0" text-anchor="end" >46000</text>
                <path class="rule" d="M70.0 131.0H630.0"/>
                <text class="label" x="64.0" y="135.0" text-anchor="end" >48000</text>
                <path class="rule" d="M70.0 71.0H630.0"/>
                <text class="label" x="64.0" y="75.0" text-anchor="end" >50000</text>
                <path class="axis" d="M70.0 386.0v5"/>
                <text class="label" x="70.0" y="404.0" text-anchor="middle" >0</text>
                <path class="axis" d="M140.0 386.0v5"/>
                <text class="label" x="140.0" y="404.0" text-anchor="middle" >0.50</text>
                <path class="axis" d="M210.0 386.0v5"/>
                <text class="label" x="210.0" y="404.0" text-anchor="middle" >1</text>
                <path class="axis" d="M280.0 386.0v5"/>
                <text class="label" x="280.0" y="404.0" text-anchor="middle" >1.50</text>
                <path class="axis" d="M350.0 386.0v5"/>
                <text class="label" x="350.0" y="404.0" text-anchor="middle" >2</text>
                <path class="axis" d="M420.0 386.0v5"/>
                <text class="label" x="420.0" y="404.0" text-anchor="middle" >2.50</text>
                <path class="axis" d="M490.0 386.0v5"/>
                <text class="label" x="490.0" y="404.0" text-anchor="middle" >3</text>
                <path class="axis" d="M560.0 386.0v5"/>
                <text class="label" x="560.0" y="404.0" text-anchor="middle" >3.50</text>
                <path class="axis" d="M630.0 386.0v5"/>
                <text class="label" x="630.0" y="404.0" text-anchor="middle" >4</text>
                <path class="axis" d="M70.0 56.0V386.0H630.0"/>
                <text class="label" x="350.0" y="422.0" text-anchor="middle" >flow, by its number</text>
                <text class="label" x="18.0" y="221.0" text-anchor="middle" transform="rotate(-90 18.0 221.0)">port<\
                /text>
                <circle class="d0" cx="70.0" cy="371.0" r="2"/>
                <circle class="d0" cx="210.0" cy="371.0" r="2"/>
                <circle class="d0" cx="350.0" cy="370.9" r="2"/>
                <circle class="d0" cx="490.0" cy="371.0" r="2"/>
                <circle class="d0" cx="630.0" cy="71.0" r="2"/>
                <circle class="d0" cx="74.0" cy="446" r="4"/>
                <text class="label" x="82.0" y="450.0" text-anchor="start" >[::1]:53</text>
                <text class="ink" x="690.0" y="46.0" text-anchor="start" >Steps within a destination</text>
                <path class="rule" d="M690.0 196.0H930.0"/>
                <text class="label" x="684.0" y="200.0" text-anchor="end" >0</text>
                <path class="rule" d="M690.0 131.2H930.0"/>
                <text class="label" x="684.0" y="135.2" text-anchor="end" >1</text>
                <path class="rule" d="M690.0 66.4H930.0"/>
                <text class="label" x="684.0" y="70.4" text-anchor="end" >2</text>
                <path class="axis" d="M690.0 196.0v5"/>
                <text class="label" x="690.0" y="214.0" text-anchor="middle" >0</text>
                <path class="axis" d="M758.6 196.0v5"/>
                <text class="label" x="758.6" y="214.0" text-anchor="middle" >10</text>
                <path class="axis" d="M827.1 196.0v5"/>
                <text class="label" x="827.1" y="214.0" text-anchor="middle" >20</text>
                <path class="axis" d="M895.7 196.0v5"/>
                <text class="label" x="895.7" y="214.0" text-anchor="middle" >30</text>
                <path class="axis" d="M690.0 56.0V196.0H930.0"/>
                <text class="label" x="810.0" y="232.0" text-anchor="middle" >step to the next port; the last bar: a\
                ny other</text>
                <text class="label" x="654.0" y="126.0" text-anchor="middle" transform="rotate(-90 654.0 126.0)">cou\
                nt</text>
                <rect class="bar" x="694.1" y="131.2" width="5.5" height="64.8"/>
                <rect class="bar" x="701.0" y="131.2" width="5.5" height="64.8"/>
                <rect class="bar" x="920.4" y="66.4" width="5.5" height="129.6"/>
                <text class="ink" x="690.0" y="256.0" text-anchor="start" >Use of the range 32768-60999 (assumed)</t\
                ext>
                <rect class="known" x="703.3" y="266" width="213.3" height="120"/>
                <path class="rule" d="M690.0 386.0H930.0"/>
                <text class="label" x="684.0" y="390.0" text-anchor="end" >0</text>
                <path class="rule" d="M690.0 358.2H930.0"/>
                <text class="label" x="684.0" y="362.2" text-anchor="end" >1</text>
                <path class="rule" d="M690.0 330.4H930.0"/>
                <text class="label" x="684.0" y="334.4" text-anchor="end" >2</text>
                <path class="rule" d="M690.0 302.7H930.0"/>
                <text class="label" x="684.0" y="306.7" text-anchor="end" >3</text>
                <path class="rule" d="M690.0 274.9H930.0"/>
                <text class="label" x="684.0" y="278.9" text-anchor="end" >4</text>
                <path class="axis" d="M758.0 386.0v5"/>
                <text class="label" x="758.0" y="404.0" text-anchor="middle" >40000</text>
                <path class="axis" d="M833.5 386.0v5"/>
                <text class="label" x="833.5" y="404.0" text-anchor="middle" >50000</text>
                <path class="axis" d="M909.1 386.0v5"/>
                <text class="label" x="909.1" y="404.0" text-anchor="middle" >60000</text>
                <path class="axis" d="M690.0 266.0V386.0H930.0"/>
                <text class="label" x="810.0" y="422.0" text-anchor="middle" >port, 64 bins; shaded: the range</text\
                >
                <text class="label" x="654.0" y="326.0" text-anchor="middle" transform="rotate(-90 654.0 326.0)">cou\
                nt</text>
                <rect class="bar" x="757.5" y="274.9" width="3.4" height="111.1"/>
                <rect class="bar" x="832.5" y="358.2" width="3.4" height="27.8"/>
                <text class="label" x="690.0" y="436.0" text-anchor="start" >4 different ports, 1 taken again</text>

                """
        )
    }

    @Test(
        "Of more than 4,000 ports each second one is drawn",
        arguments: [(4000, 4000), (4001, 2001), (8000, 4000), (8001, 2667)]
    )
    func sampled(count: Int, dots: Int) {
        let text = drawn(SyntheticPorts.series(.macOS, count: count, seed: 1))
        #expect(
            text.split(separator: "\n").count { $0.hasPrefix("<circle class=\"d") && $0.hasSuffix("r=\"2\"/>") } == dots
        )
        #expect(text.contains("each 2th port is drawn") == (count == 4001 || count == 8000))
        #expect(text.contains("each 3th port is drawn") == (count == 8001))
    }

    @Test(
        "Units of time",
        arguments: [
            (0.0099, "microseconds"), (0.01, "milliseconds"), (9.9, "milliseconds"), (10, "seconds"), (7199, "seconds"),
            (7200, "hours"),
        ]
    )
    func units(seconds: Double, unit: String) {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        series.add(2000, to: Endpoint(address: .loopbackV4, port: 80), at: 0)
        series.add(2001, to: Endpoint(address: .loopbackV4, port: 80), at: Int64((seconds * 1e9).rounded()))
        #expect(drawn(series).contains("time since the first flow, \(unit)<"))
    }

    @Test(
        "Ticks are about so many round numbers",
        arguments: [
            (0.0...10, 5, true, [0, 2, 4, 6, 8, 10]), (0.0...3, 5, true, [0, 1, 2, 3]),
            (0.0...3, 5, false, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
            (1.0...49, 5, true, [5, 10, 15, 20, 25, 30, 35, 40, 45]), (0.0...50, 5, true, [0, 10, 20, 30, 40, 50]),
            (3.0...3, 5, true, [3]),
            (0.0...0.5, 5, false, [0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5]), (1.2...1.4, 1, true, []),
            (-20.0...5, 5, true, [-20, -15, -10, -5, 0, 5]),
        ] as [(ClosedRange<Double>, Int, Bool, [Double])]
    )
    func ticks(bounds: ClosedRange<Double>, wanted: Int, isWhole: Bool, ticks: [Double]) {
        #expect(PortPanels.ticks(bounds, wanted, isWhole: isWhole) == ticks)
    }
}
