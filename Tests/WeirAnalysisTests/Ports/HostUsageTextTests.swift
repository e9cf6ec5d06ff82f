import Testing
import WeirEngine
import WeirWire

@testable import WeirAnalysis

@Suite("A host's ports in text and JSON, whole")
struct HostUsageTextTests {
    private func socket(
        _ port: UInt16,
        _ server: UInt16,
        _ state: HostSocket.State = .established,
        _ transport: Transport = .tcp,
        from source: IPAddress = .loopbackV4
    ) -> HostSocket {
        HostSocket(
            transport: transport,
            local: Endpoint(address: source, port: port),
            remote: Endpoint(address: .loopbackV4, port: server),
            state: state
        )
    }

    private var usages: [HostUsage] {
        let range = PortRange(40_001, 40_020)
        var sockets = (0..<9).map { socket(40_001 + $0, 80, $0 < 3 ? .timeWait : .established) }
        sockets +=
            (0..<4).map { socket(40_001 + 2 * $0, 443) }
            + (0..<4).map { socket(40_001 + 2 * $0, 22, from: IPAddress(v4: 0x0a00_0001)) }
        sockets += [
            socket(40_001, 53, .established, .udp), socket(40_020, 0, .closed, .udp), socket(40_000, 80),
            socket(40_021, 80),
        ]
        sockets += [socket(40_019, 0, .listen), socket(40_019, 5), socket(40_001, 80), socket(40_018, 80, .synSent)]
        let first = HostUsage(sockets, range: range)
        let more = sockets + (0..<3).map { socket(40_010 + $0, 443, .finWait1) } + [socket(40_013, 9, .closeWait)]
        let second = HostUsage(more, range: range, reserved: [PortRange(40_001, 40_002)], before: first, seconds: 2)
        return [
            first, second, HostUsage([], range: range), HostUsage(sockets, range: range, before: second, seconds: 0.5),
        ]
    }

    @Test("Each use is said so")
    func text() {
        var output = ByteBuffer()
        for usage in usages { HostUsageText.append(usage, to: &output) }
        #expect(
            output.string == """
                range 40001-40020: 20 ports; connect is slow past 10 to one destination
                tcp: 11 ports in use, 55%: ESTAB 16, TIME-WAIT 3, SYN-SENT 1, LISTEN 1
                udp: 2 ports in use, 10%: ESTAB 1, UNCONN 1
                127.0.0.1 -> 127.0.0.1:80: 10 ports, 50%, TIME-WAIT 3, PAST THE CLIFF
                10.0.0.1 -> 127.0.0.1:22: 4 ports, 20%, TIME-WAIT 0
                127.0.0.1 -> 127.0.0.1:443: 4 ports, 20%, TIME-WAIT 0
                range 40001-40020: 20 ports, 2 reserved; connect is slow past 9 to one destination
                tcp: 15 ports in use, 83%: ESTAB 16, FIN-WAIT-1 3, TIME-WAIT 3, SYN-SENT 1, CLOSE-WAIT 1, \
                LISTEN 1
                udp: 2 ports in use, 11%: ESTAB 1, UNCONN 1
                127.0.0.1 -> 127.0.0.1:80: 10 ports, 56%, TIME-WAIT 3, 0.0 new/s, grows 0.0/s, PAST THE CLIFF
                127.0.0.1 -> 127.0.0.1:443: 7 ports, 39%, TIME-WAIT 0, 1.5 new/s, grows 1.5/s, the cliff in 1 s, \
                none left in 7 s
                10.0.0.1 -> 127.0.0.1:22: 4 ports, 22%, TIME-WAIT 0, 0.0 new/s, grows 0.0/s
                127.0.0.1 -> 127.0.0.1:9: 1 port, 6%, TIME-WAIT 0, 0.5 new/s, grows 0.5/s, the cliff in 16 s, non\
                e left in 34 s
                range 40001-40020: 20 ports; connect is slow past 10 to one destination
                tcp: 0 ports in use, 0%
                udp: 0 ports in use, 0%
                range 40001-40020: 20 ports; connect is slow past 10 to one destination
                tcp: 11 ports in use, 55%: ESTAB 16, TIME-WAIT 3, SYN-SENT 1, LISTEN 1
                udp: 2 ports in use, 10%: ESTAB 1, UNCONN 1
                127.0.0.1 -> 127.0.0.1:80: 10 ports, 50%, TIME-WAIT 3, 0.0 new/s, grows 0.0/s, PAST THE CLIFF
                10.0.0.1 -> 127.0.0.1:22: 4 ports, 20%, TIME-WAIT 0, 0.0 new/s, grows 0.0/s
                127.0.0.1 -> 127.0.0.1:443: 4 ports, 20%, TIME-WAIT 0, 0.0 new/s, grows -6.0/s

                """
        )
    }

    @Test("Each use is this JSON")
    func json() {
        var output = ByteBuffer()
        for usage in usages { HostUsageText.appendJSON(usage, at: 1_500_000_000, to: &output) }
        #expect(
            output.string == """
                {"time":"1970-01-01T00:00:01.500000000Z","range_low":40001,"range_high":40020,"reserved":0,"cliff":1\
                0,"tcp":{"ports":11,"states":{"ESTAB":16,"SYN-SENT":1,"TIME-WAIT":3,"LISTEN":1}},"udp":{"ports":2,"s\
                tates":{"ESTAB":1,"UNCONN":1}},"destinations":[{"source":"127.0.0.1","server":"127.0.0.1:80","ports"\
                :10,"share":0.500,"time_wait":3,"first_parity":5,"rate":null,"growth":null,"cliff_seconds":0.000,"ex\
                hausted_seconds":null},{"source":"10.0.0.1","server":"127.0.0.1:22","ports":4,"share":0.200,"time_wa\
                it":0,"first_parity":4,"rate":null,"growth":null,"cliff_seconds":null,"exhausted_seconds":null},{"so\
                urce":"127.0.0.1","server":"127.0.0.1:443","ports":4,"share":0.200,"time_wait":0,"first_parity":4,"r\
                ate":null,"growth":null,"cliff_seconds":null,"exhausted_seconds":null}]}
                {"time":"1970-01-01T00:00:01.500000000Z","range_low":40001,"range_high":40020,"reserved":2,"cliff":9\
                ,"tcp":{"ports":15,"states":{"ESTAB":16,"SYN-SENT":1,"FIN-WAIT-1":3,"TIME-WAIT":3,"CLOSE-WAIT":1,"LI\
                STEN":1}},"udp":{"ports":2,"states":{"ESTAB":1,"UNCONN":1}},"destinations":[{"source":"127.0.0.1","s\
                erver":"127.0.0.1:80","ports":10,"share":0.556,"time_wait":3,"first_parity":5,"rate":0.000,"growth":\
                0.000,"cliff_seconds":0.000,"exhausted_seconds":null},{"source":"127.0.0.1","server":"127.0.0.1:443"\
                ,"ports":7,"share":0.389,"time_wait":0,"first_parity":5,"rate":1.500,"growth":1.500,"cliff_seconds":\
                1.333,"exhausted_seconds":7.333},{"source":"10.0.0.1","server":"127.0.0.1:22","ports":4,"share":0.22\
                2,"time_wait":0,"first_parity":4,"rate":0.000,"growth":0.000,"cliff_seconds":null,"exhausted_seconds\
                ":null},{"source":"127.0.0.1","server":"127.0.0.1:9","ports":1,"share":0.056,"time_wait":0,"first_pa\
                rity":1,"rate":0.500,"growth":0.500,"cliff_seconds":16.000,"exhausted_seconds":34.000}]}
                {"time":"1970-01-01T00:00:01.500000000Z","range_low":40001,"range_high":40020,"reserved":0,"cliff":1\
                0,"tcp":{"ports":0,"states":{}},"udp":{"ports":0,"states":{}},"destinations":[]}
                {"time":"1970-01-01T00:00:01.500000000Z","range_low":40001,"range_high":40020,"reserved":0,"cliff":1\
                0,"tcp":{"ports":11,"states":{"ESTAB":16,"SYN-SENT":1,"TIME-WAIT":3,"LISTEN":1}},"udp":{"ports":2,"s\
                tates":{"ESTAB":1,"UNCONN":1}},"destinations":[{"source":"127.0.0.1","server":"127.0.0.1:80","ports"\
                :10,"share":0.500,"time_wait":3,"first_parity":5,"rate":0.000,"growth":0.000,"cliff_seconds":0.000,"\
                exhausted_seconds":null},{"source":"10.0.0.1","server":"127.0.0.1:22","ports":4,"share":0.200,"time_\
                wait":0,"first_parity":4,"rate":0.000,"growth":0.000,"cliff_seconds":null,"exhausted_seconds":null},\
                {"source":"127.0.0.1","server":"127.0.0.1:443","ports":4,"share":0.200,"time_wait":0,"first_parity":\
                4,"rate":0.000,"growth":-6.000,"cliff_seconds":null,"exhausted_seconds":null}]}

                """
        )
    }

    @Test("States have the names of ss")
    func states() {
        #expect(
            HostSocket.State.allCases.map { "\($0.rawValue) \($0.name)" } == [
                "1 ESTAB", "2 SYN-SENT", "3 SYN-RECV", "4 FIN-WAIT-1", "5 FIN-WAIT-2", "6 TIME-WAIT", "7 UNCONN",
                "8 CLOSE-WAIT", "9 LAST-ACK",
                "10 LISTEN", "11 CLOSING", "12 SYN-RECV",
            ]
        )
    }
}
