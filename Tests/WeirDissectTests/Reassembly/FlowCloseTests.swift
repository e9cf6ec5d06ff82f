import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("How flows of a capture end, whole")
struct FlowCloseTests {
    @Test("Segments in any order make these flows")
    func flows() {
        var generator = SeededGenerator(seed: 31)
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
        let kinds: [TCPFlags] = [
            .syn, [.syn, .ack], .ack, [.fin, .ack], .fin, .rst, [.rst, .ack], .ack, .psh, [.syn, .rst],
        ]
        var lines: [String] = []
        for number in 0..<160 {
            var table = FlowTable()
            var text = ""
            for _ in 0..<(1 + below(6)) {
                let isUp = below(5) > 1
                let flags = below(3) == 0 ? kinds[below(3)] : kinds[below(kinds.count)]
                // Most numbers fit: 10 and 50 are those of the SYNs.
                let sequence = UInt32(
                    (isUp ? 10 : 50) + (flags.contains(.syn) ? 0 : 1) + (below(5) == 0 ? below(3) : 0)
                )
                let acknowledged = UInt32((isUp ? 51 : 11) + (below(6) == 0 ? 1 << 25 : 0) + below(2))
                let segment = FlowTableTests.Sent(
                    isUp: isUp,
                    flags: flags,
                    number: sequence,
                    acknowledgment: acknowledged
                )
                let place = segment.add(to: &table)
                let names: [(TCPFlags, String)] = [(.syn, "S"), (.fin, "F"), (.rst, "R"), (.ack, "A"), (.psh, "P")]
                text +=
                    " \(isUp ? "c" : "s")\(names.filter { flags.contains($0.0) }.map(\.1).joined())\(sequence)/\(acknowledged % 1000)"
                if let place, place.hasTurned || place.index > 0 {
                    text += "(\(place.index)\(place.hasTurned ? " turned" : ""))"
                }
            }
            for index in 0..<table.count {
                let flow = table[index]
                let numbers = Direction.allCases.map { flow.firstNumber(of: $0).map { "\($0)" } ?? "-" }.joined(
                    separator: "/"
                )
                text +=
                    " = \(flow.client.port) \(flow.close?.rawValue ?? "none") \(numbers) \(flow.packetsUp)+\(flow.packetsDown)"
            }
            lines.append("\(number)\(text)")
        }
        #expect(
            lines
                == """
                0 cR11/51 cA11/52 sA52/11 sSA50/11 cA11/51 cR11/52 = 1000 client_reset 10/50 4+2
                1 sF51/12 = 80 client_finished 50/- 1+0
                2 cFA11/51 cA12/483 cS10/52 cRA13/483 = 1000 client_reset 10/50 4+0
                3 cRA13/52 sS50/11(1) sSR50/12(1) cP11/51(1) cSA10/52(1) = 1000 client_reset 12/51 1+0 = 80 client_r\
                eset 50/10 2+2
                4 cFA12/51 sS50/12(0 turned) = 80 server_finished 50/11 1+1
                5 cR11/52 sRA51/12 = 1000 client_reset 10/50 1+1
                6 sFA52/11 cSR10/51(0 turned) cF11/52 = 1000 client_reset 10/51 2+1
                7 sA51/11 cR11/484 cS10/484(0 turned) cSA10/484 cSA10/483 cF11/483 = 1000 client_reset 10/50 5+1
                8 sF53/12 = 80 client_finished 52/- 1+0
                9 cF11/51 = 1000 client_finished 10/- 1+0
                10 cSA10/483 sRA51/444 = 80 client_reset 33554482/10 1+1
                11 cS10/51 cA11/51 cSA11/483 sR51/11 cSR10/51(1) sS50/12(1) = 1000 refused 11/50 3+1 = 1000 client_r\
                eset 10/50 1+1
                12 sF51/11 cS10/51(0 turned) sS50/444 cR11/483 = 1000 client_reset 10/50 2+2
                13 sA53/12 cSA10/51 sSA50/12 = 80 open 50/10 2+1
                14 sA51/11 cRA12/51 cR11/51 cSR10/52(0 turned) = 1000 client_reset 10/50 3+1
                15 cSR10/52 sFA51/11 cSR10/484 cR11/51 = 1000 client_reset 10/50 3+1
                16 cSA12/51 sRA51/12 sR51/11 cA11/51 = 80 client_reset 50/12 2+2
                17 sSR51/12 sSR50/444(1) cR11/51(1) = 80 client_reset 51/- 1+0 = 80 client_reset 50/10 1+1
                18 cRA12/51 cSR10/51(1) cF11/52(1) = 1000 client_reset 11/50 1+0 = 1000 client_reset 10/- 2+0
                19 sS50/12 sFA51/12 cA11/51 = 80 client_finished 50/11 2+1
                20 cSA12/52 sF51/12 = 80 open 51/12 1+1
                21 sSR50/11 sS50/12 sSR50/11 cA11/52 cF11/52 cA11/51 = 80 client_reset 50/10 3+3
                22 cRA11/51 cA11/484 sS50/11(0 turned) = 80 server_reset 50/10 1+2
                23 cR11/52 cS10/51 cRA11/484 = 1000 client_reset 10/33554483 3+0
                24 cSA10/51 = 80 open 50/10 0+1
                25 sSA50/11 sA51/11 sSA50/444 cA11/52 = 1000 open 10/50 1+3
                26 sA51/11 sA51/444 sA51/11 cA11/52 cFA11/52 = 80 server_finished 50/10 3+2
                27 sFA51/11 sP51/11 cP11/484 cFA11/483 cA11/52 = 80 finished 50/10 2+3
                28 cA11/52 sRA51/443 cSR10/51 cA11/52 cA11/51 cA12/52 = 1000 refused 10/51 5+1
                29 cSA10/52 sS50/443(1) sA51/444(1) cRA11/51(1) = 80 open 51/10 0+1 = 80 refused 50/33554443 2+1
                30 sRA51/11 = 80 client_reset 50/10 1+0
                31 cFA11/52 cS10/483 cSA10/484 = 1000 client_finished 10/51 3+0
                32 cSR10/52 sSR50/12 cSR10/52 sS50/11 cA11/51 cA11/51 = 1000 client_reset 10/50 4+2
                33 cA11/483 sA51/11 cA13/52 cS10/51 = 1000 open 10/33554482 3+1
                34 cA11/52 cP11/52 sS50/11(1) cSA10/52(1) cRA11/51(1) = 1000 open 10/51 2+0 = 80 server_reset 50/10 \
                1+2
                35 cSA10/51 sA51/11 cP11/52 cS10/52(0 turned) sFA51/11 = 1000 server_finished 10/50 3+2
                36 cSA10/484 = 80 open 33554483/10 0+1
                37 sSA50/12 sSA50/11 cSA10/51 cA11/52 cSR12/51(1) cSA10/484(1) = 1000 open 10/50 2+2 = 1000 client_r\
                eset 10/33554483 2+0
                38 sFA53/11 cSA12/51 cP11/52 = 80 client_finished 52/12 1+2
                39 cSR10/52 cA11/483 = 1000 client_reset 10/33554482 2+0
                40 cA12/51 cF11/483 cSA10/52(0 turned) cA11/52 sFA51/11 = 80 finished 50/10 1+4
                41 cP11/51 sS50/11(0 turned) sA51/11 sP51/11 = 80 open 50/10 3+1
                42 sF51/12 sS51/11(1) cS10/52(1) = 80 client_finished 50/- 1+0 = 80 open 51/10 1+1
                43 cP11/484 cS10/52 = 1000 open 10/- 2+0
                44 sA51/443 sR51/444 = 80 client_reset 50/33554442 2+0
                45 cSA10/484 cA13/52 sF51/11 cF11/51 sR51/12 cS10/52(0 turned) = 1000 finished 10/33554483 4+2
                46 cSA10/52 sS50/444(1) cS11/52(1) sFA51/11(1) cR11/483(1) sSA50/11(1) = 80 open 51/10 0+1 = 80 serv\
                er_reset 50/10 3+2
                47 cSA10/483 sFA51/11 cP11/52 sFA51/12 = 80 client_finished 33554482/10 2+2
                48 cS10/51 sS50/12 cRA11/51 sA51/443 sSA50/12 = 1000 client_reset 33554442/50 2+3
                49 cS10/52 sS50/443 cA11/52 = 1000 open 10/50 2+1
                50 cSR10/52 = 1000 client_reset 10/- 1+0
                51 sFA51/443 cFA11/51 cA11/52 = 80 finished 50/33554442 1+2
                52 sFA51/11 cP11/52 cS10/51(0 turned) = 1000 server_finished 10/50 2+1
                53 sSA50/12 cSA10/51 cSR10/52 cA11/51 = 1000 client_reset 10/50 3+1
                54 cFA11/51 cP11/51 = 1000 client_finished 10/50 2+0
                55 cSA10/51 sS50/11 cS10/51 cFA11/484 cP11/52 sS50/11(1) = 80 server_finished 33554483/10 1+4 = 80 u\
                nanswered 50/- 1+0
                56 cSR10/51 cA11/52 sRA51/12 sFA51/443 sF52/12 cSA10/483 = 1000 client_reset 10/51 3+3
                57 cA11/52 cF11/52 sSA50/12 sP53/12 cS10/483 sS50/444 = 1000 client_finished 10/50 3+3
                58 sSA51/11 sF51/443 cRA11/51 sSA52/443 sA51/11 = 1000 client_reset 10/52 1+4
                59 cA11/52 sSR50/12(1) = 1000 open 10/51 1+0 = 80 client_reset 50/- 1+0
                60 cF11/51 cSA10/52(0 turned) = 80 server_finished 51/10 0+2
                61 sSR50/12 cSR10/51 cFA11/484 cRA11/51 = 80 client_reset 33554483/10 1+3
                62 sA51/12 cFA11/51 cA11/51 sSA50/443(0 turned) sF51/11 sFA51/11 = 1000 finished 11/50 2+4
                63 sR51/443 cA11/52 = 80 client_reset 50/10 1+1
                64 sR51/11 = 80 client_reset 50/- 1+0
                65 cA11/51 cFA11/51 = 1000 client_finished 10/50 2+0
                66 sA51/11 cSA10/51 = 80 open 50/10 1+1
                67 sA51/12 = 80 open 50/11 1+0
                68 cA13/52 sA51/444 = 1000 open 12/51 1+1
                69 cF11/52 cA11/51 cSR10/52 cSA10/52 = 1000 client_reset 10/50 4+0
                70 sF51/11 sP51/12 sA51/12 cA11/52 cS10/51(1) = 80 client_finished 50/11 3+1 = 1000 unanswered 10/- \
                1+0
                71 cP11/52 cR11/483 sS50/11(0 turned) cR11/51 sSA50/443 sSA50/11 = 80 server_reset 50/10 3+3
                72 sP51/12 cS10/51(0 turned) cR11/52 cA11/52 = 1000 client_reset 10/50 3+1
                73 cSA10/52 sA51/443 cSR10/51(1) sP51/443(1) = 80 open 51/33554442 1+1 = 1000 client_reset 10/50 1+1
                74 cRA11/52 sSA50/12 cF11/484 cR11/52 sA52/11 cA11/51 = 1000 client_reset 10/50 4+2
                75 sP51/11 = 80 open 50/- 1+0
                76 cA11/483 = 1000 open 10/33554482 1+0
                77 sS50/11 = 80 unanswered 50/- 1+0
                78 cS10/51 cRA11/52 cSA10/484 sSA50/11 = 1000 client_reset 10/50 3+1
                79 sSA50/12 cA11/52 cP11/52 = 1000 open 11/50 2+1
                80 cS10/52 sP51/12 cSA10/52 cF12/52 sFA51/12 sS50/12 = 1000 finished 10/50 3+3
                81 sP51/444 sR53/443 sR51/11 cS10/52(0 turned) = 1000 server_reset 10/50 1+3
                82 cR11/52 cP11/51 sP52/11 cA12/52 cA12/51 sA51/11 = 1000 client_reset 10/51 4+2
                83 cS10/52 sA51/12 sA51/11 cR11/52 sA51/12 sSA52/11 = 1000 client_reset 10/52 2+4
                84 cF11/52 sA51/12 cSA10/51(0 turned) cSA10/52 = 80 server_finished 50/10 1+3
                85 cA11/51 cFA11/51 cA11/51 cA11/51 cFA11/52 cA11/484 = 1000 client_finished 10/50 6+0
                86 cSA10/483 cS10/51(0 turned) cSR10/52 sS50/11(1) = 1000 client_reset 10/33554482 3+0 = 80 unanswer\
                ed 50/- 1+0
                87 sSR50/12 sP51/11 cSA12/51 = 80 client_reset 50/12 2+1
                88 cRA11/52 = 1000 client_reset 10/51 1+0
                89 sA52/11 cA11/52 sRA51/11 = 80 client_reset 51/10 2+1
                90 cS10/52 sSA50/11 cF11/51 sFA51/11 = 1000 finished 10/50 2+2
                91 sA51/12 cSR10/51(1) sA51/11(1) = 80 open 50/11 1+0 = 1000 client_reset 10/50 1+1
                92 cA11/52 sF52/12 = 1000 server_finished 10/51 1+1
                93 cS10/52 sS50/12 sS50/11 = 1000 open 10/50 1+2
                94 cF11/52 sS50/12(0 turned) = 80 server_finished 50/10 1+1
                95 sSA50/12 cA11/51 cSR10/52(1) cFA11/483(1) cR12/483(1) sSA50/12(1) = 1000 open 11/50 1+1 = 1000 cl\
                ient_reset 10/50 3+1
                96 cA11/51 cSR10/51 = 1000 client_reset 10/50 2+0
                97 cS11/52 cS10/51(1) sS51/444(1) = 1000 unanswered 11/- 1+0 = 1000 open 10/51 1+1
                98 cSA10/52 = 80 open 51/10 0+1
                99 sSA50/11 cSA10/52 = 1000 open 10/50 1+1
                100 sA51/11 cF11/51 cFA11/52 cA11/484 cS11/52(1) = 80 server_finished 50/10 1+3 = 1000 unanswered 11\
                /- 1+0
                101 cSA10/52 sS51/443 cA11/51 = 80 open 50/10 1+2
                102 sS50/12 sP51/12 sSA50/11 = 80 open 50/10 3+0
                103 cF11/52 sA51/12 = 1000 client_finished 10/50 1+1
                104 cR11/52 = 1000 client_reset 10/- 1+0
                105 sP51/11 cA11/483 sFA51/12 cF11/52 cFA11/484 cRA11/51 = 80 finished 50/10 2+4
                106 cA11/51 cFA11/52 cS10/51 sS50/12 = 1000 client_finished 10/50 3+1
                107 cFA11/484 cA11/483 sSA50/12 cSR10/52 cS10/51 sS50/12 = 1000 client_reset 10/50 4+2
                108 sS50/12 cS10/52 cSA10/51 cA11/51 cR11/51 = 80 server_reset 50/10 1+4
                109 sF51/12 = 80 client_finished 50/- 1+0
                110 cP11/484 cSA10/51(0 turned) = 80 open 50/10 0+2
                111 cS10/51 cS10/51 cA11/52 = 1000 open 10/51 3+0
                112 sRA51/11 sA51/12 cRA11/484 cP11/484 cS10/51(0 turned) cS10/51 = 1000 server_reset 10/50 4+2
                113 cS10/483 sA51/11 cSA10/52 = 1000 open 10/50 2+1
                114 cSA10/51 cA11/51 cA11/51 cR13/483 sF51/11 = 80 server_reset 50/10 1+4
                115 cA11/51 sF53/12 sSA50/11 sS50/11(0 turned) = 80 client_finished 50/10 3+1
                116 cSR10/52 sA51/443 sSA50/11 cF11/51 sSR50/11 = 1000 client_reset 33554442/50 2+3
                117 sS52/12 sS50/11(1) cA11/52(1) cF12/51(1) sA52/443(1) = 80 unanswered 52/- 1+0 = 80 open 50/10 2+\
                2
                118 cF11/52 = 1000 client_finished 10/- 1+0
                119 sA51/11 = 80 open 50/10 1+0
                120 sA51/11 cRA12/52 = 80 server_reset 50/10 1+1
                121 sA51/11 sA51/11 sP53/11 = 80 open 50/10 3+0
                122 cSR10/52 = 1000 client_reset 10/- 1+0
                123 sA51/12 sF51/444 cSA10/51 cSA10/51 = 80 client_finished 50/10 2+2
                124 cSA10/51 sSR50/12 sA51/12 sA53/12 cS10/484 sA53/12 = 80 client_reset 50/10 4+2
                125 sS52/11 cS10/51 = 80 open 52/10 1+1
                126 cS10/51 cRA11/51 sR51/12 = 1000 client_reset 10/50 2+1
                127 cSA11/52 cRA11/51 sSA51/12 = 80 server_reset 51/11 1+2
                128 cFA11/483 cS10/52 cP12/51 sS50/12(1) sP51/12(1) cS10/51(1) = 1000 client_finished 10/33554482 3+\
                0 = 80 open 50/10 2+1
                129 cS10/52 cSA10/51 sA51/11 cSR10/51 cR11/52 cSR11/51(1) = 1000 client_reset 10/50 4+1 = 1000 clien\
                t_reset 11/- 1+0
                130 sRA51/11 cA11/52 = 80 client_reset 50/10 1+1
                131 cP11/51 sS50/12(0 turned) sSR50/11 cA12/51 cSA12/52 = 80 client_reset 50/12 2+3
                132 cF11/483 sP51/444 = 1000 client_finished 10/50 1+1
                133 sA51/11 sA51/11 cS10/51(0 turned) sFA51/12 cA11/51 = 1000 open 10/50 2+3
                134 cP11/51 sR51/11 = 1000 server_reset 10/50 1+1
                135 cS10/484 cA11/51 cSA10/51 cF11/51 cFA11/52 = 1000 client_finished 10/50 5+0
                136 cSA10/51 sS50/12 = 80 open 50/10 1+1
                137 sRA51/12 sA52/12 sA51/12 sA51/11 sA51/11 cR11/51 = 80 client_reset 50/11 5+1
                138 sA51/444 sR51/11 cSR10/483(1) = 80 client_reset 50/33554443 2+0 = 1000 client_reset 10/- 1+0
                139 cSR12/51 = 1000 client_reset 12/- 1+0
                140 sFA51/11 = 80 client_finished 50/10 1+0
                141 sFA51/443 = 80 client_finished 50/33554442 1+0
                142 cP11/52 cFA12/483 sSA52/11 cP11/51 = 1000 client_finished 10/52 3+1
                143 cA11/51 sSR50/12(0 turned) cSA10/52 = 80 client_reset 50/10 1+2
                144 cS10/52 cSA10/483 = 1000 unanswered 10/33554482 2+0
                145 cS10/52 sS50/12 cS10/52 sFA51/12 cR11/483 cS10/52 = 1000 client_reset 10/50 4+2
                146 sF53/11 sS50/11(1) cSA10/52(1) = 80 client_finished 52/- 1+0 = 80 open 50/10 1+1
                147 cP11/52 cFA11/484 cSR12/51(1) cSA10/52(1) cSA10/51(1) = 1000 client_finished 10/33554483 2+0 = 1\
                000 client_reset 10/51 3+0
                148 cR11/484 cS10/483 cSA10/51 = 1000 client_reset 10/50 3+0
                149 cA13/52 = 1000 open 12/51 1+0
                150 sSA50/443 sA51/12 cR11/51 = 1000 client_reset 33554442/50 1+2
                151 sA51/443 sSR50/11 sA51/11 = 80 client_reset 50/33554442 3+0
                152 sR51/11 cF11/52 = 80 client_reset 50/10 1+1
                153 cA11/52 = 1000 open 10/51 1+0
                154 cA11/51 cR11/51 = 1000 client_reset 10/50 2+0
                155 sRA51/12 cP11/51 = 80 client_reset 50/11 1+1
                156 cRA11/484 = 1000 client_reset 10/33554483 1+0
                157 sS50/443 sSR50/12 cS10/483 sA51/11 cP11/51 = 80 client_reset 50/10 3+2
                158 cR11/52 cP13/484 cA11/52 cP11/51 = 1000 client_reset 10/51 4+0
                159 sSA50/12 sSR50/11(0 turned) cSA10/52 sR51/12 sS50/11 cSA11/52 = 80 client_reset 50/11 4+2
                """.split(separator: "\n").map(String.init)
        )
    }
}
