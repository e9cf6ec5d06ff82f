import Testing
import WeirWire

@testable import WeirAnalysis
@testable import WeirEngine

@Suite("Likelihoods of the models")
struct PortModelsTests {
    @Test("Each class has this likelihood for each model's ports")
    func likelihoods() {
        var lines: [String] = []
        for model in SyntheticPorts.Model.allCases {
            for isBounded in [true, false] {
                let series = SyntheticPorts.series(model, count: 60, seed: 8, destinations: 3, interval: 0.7)
                let range = isBounded ? model.range : PortMeasuring.corrected(series)
                let values = PortModels.likelihoods(series, in: range, isBounded: isBounded)
                let list = PortAllocator.named.map { PortReasons.decimal(values[$0] ?? 0, places: 4) }.joined(
                    separator: " "
                )
                lines.append("\(model.rawValue) \(isBounded ? "known" : "estimated"): \(list)")
            }
        }
        #expect(
            lines
                == """
                linuxConnect known: -875.6186 -387.4748 -616.0636 -262.0042 -440.2160 -614.9527 -891.2629 -966.2371 \
                -397.1233
                linuxConnect estimated: -874.2118 -387.0441 -614.5398 -262.2666 -439.7295 -613.2301 -572.6352 -668.8\
                026 -396.6927
                linuxConnectOddRange known: -905.5513 -382.3039 -597.7095 -256.8309 -434.2730 -594.2693 -870.5795 -1\
                046.2217 -391.9525
                linuxConnectOddRange estimated: -902.4030 -381.2773 -594.0506 -256.4969 -433.0642 -590.1629 -549.568\
                0 -709.3152 -390.9259
                linuxConnectOneCounter known: -861.9920 -352.2891 -615.7396 -249.9736 -541.7834 -614.9527 -891.2629 \
                -987.4303 -337.7953
                linuxConnectOneCounter estimated: -778.6819 -347.0822 -522.3140 -244.4909 -514.0598 -510.8150 -470.2\
                201 -550.4925 -327.3815
                linuxLocalRange known: -1067.4980 -421.9473 -412.7566 -452.3319 -216.8257 -414.5253 -526.7431 -569.9\
                274 -383.5891
                linuxLocalRange estimated: -977.6186 -409.7995 -406.9012 -439.5905 -215.2677 -407.6007 -520.5116 -59\
                5.4858 -381.9733
                linuxBind known: -1014.0098 -1008.6347 -641.2325 -987.6269 -714.3137 -614.9527 -573.6646 -691.0253 -\
                580.8152
                linuxBind estimated: -1013.7018 -1008.3215 -640.9201 -673.1349 -714.0005 -614.6395 -574.0446 -691.40\
                52 -580.5072
                linuxBindReuse known: -1010.6052 -1117.3219 -637.5425 -967.9718 -714.3137 -614.9527 -573.6646 -532.0\
                758 -580.8152
                linuxBindReuse estimated: -969.4036 -1077.5170 -596.3200 -627.3611 -672.4138 -573.0528 -532.4579 -64\
                9.8185 -539.6136
                uniform known: -1014.0098 -1008.6347 -641.2325 -815.4991 -714.3137 -614.9527 -748.3437 -865.7044 -61\
                9.8314
                uniform estimated: -1013.7039 -1008.3236 -640.9222 -815.8821 -714.0026 -614.6416 -716.9659 -834.3266\
                 -619.5254
                macOS known: -33.1680 -152.0046 -55.3693 -408.6438 -189.9223 -582.3037 -694.5214 -970.8316 -351.0487
                macOS estimated: -27.6834 -135.5510 -48.3720 -266.0040 -152.5999 -253.2305 -366.1414 -499.3970 -231.\
                9686
                windows known: -758.1976 -31.4733 -482.6838 -792.8151 -163.4936 -582.3037 -705.1080 -859.5569 -351.0\
                487
                windows estimated: -1142.2185 -30.2127 -463.3541 -768.2968 -162.2282 -557.0922 -670.0031 -824.4520 -\
                349.7881
                freeBSDQuiet known: -1057.2574 -1049.2293 -682.0020 -856.2770 -754.9082 -655.5472 -788.9382 -906.298\
                9 -661.0859
                freeBSDQuiet estimated: -1056.9506 -1048.9173 -681.6900 -856.6582 -754.5963 -655.2353 -757.5596 -874\
                .9203 -660.7739
                freeBSDBusy known: -1057.2574 -1049.2293 -682.0020 -856.2770 -754.9082 -655.5472 -788.9382 -906.2989\
                 -661.0859
                freeBSDBusy estimated: -1056.9506 -1048.9173 -681.6900 -856.6582 -754.5963 -655.2353 -757.5596 -874.\
                9203 -660.7739
                freeBSDFast known: -155.7515 -406.0355 -129.4901 -561.5064 -342.5883 -655.5472 -773.0583 -969.8938 -\
                478.7672
                freeBSDFast estimated: -154.0006 -402.1447 -127.7391 -555.3905 -338.6367 -643.8749 -762.0791 -958.91\
                45 -474.8764
                twoHosts known: -910.6452 -678.5107 -596.2662 -453.3082 -565.6556 -614.9527 -891.2629 -982.1320 -452\
                .6575
                twoHosts estimated: -910.0617 -678.1067 -595.6791 -453.5974 -565.2400 -614.2795 -573.6846 -680.4486 \
                -452.3770
                halfBound known: -965.7912 -819.6433 -616.6084 -683.5270 -635.9260 -614.9527 -753.6370 -844.5061 -55\
                6.7931
                halfBound estimated: -966.2515 -820.0214 -617.0688 -684.5982 -636.3099 -615.4459 -712.4769 -808.6443\
                 -557.1137
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test("Ports outside of the range, without times, and steps back have this likelihood")
    func strays() {
        var series = PortSeries(PortSeriesKey(client: .loopbackV4, transport: .tcp))
        for port in [40_000, 40_002, 39_986, 39_985, 40_512, 40_511, 40_498, 50_000, 40_000, 40_257, 40_513] as [UInt16]
        {
            series.add(port, to: Endpoint(address: .loopbackV4, port: 80), at: nil)
        }
        let values = PortModels.likelihoods(series, in: PortRange(40_000, 40_999), isBounded: true)
        #expect(
            PortAllocator.named.map { "\($0.rawValue) \(PortReasons.decimal(values[$0] ?? 0, places: 4))" }
                == """
                sequential -199.0247
                sequential-per-destination -199.0247
                sequential-random-start -110.1917
                linux-connect -118.3034
                linux-local-range -96.4246
                uniform-random -109.2171
                odd-bind -138.7008
                lower-half-bind -162.8661
                mixed -113.3479
                """.split(separator: "\n").map(String.init)
        )
    }

    @Test(
        "Steps have these chances",
        arguments: [
            (-34, [0, 0, 0, 0]), (-33, [0, 0, 0, 0]), (-32, [0.0000757576, 0, 0, 0]), (-17, [0, 0, 0, 0]),
            (-16, [0.0000757576, 0, 0, 0.0000757576]),
            (-1, [0, 0, 0, 0.0000757576]), (0, [0, 0, 0, 0]), (1, [0, 0, 0, 0.1225]), (2, [0.1225, 0.2, 0.03, 0.1225]),
            (4, [0.1225, 0.16, 0.0291, 0.1225]),
            (8, [0.1225, 0.1024, 0.02738019, 0.1225]), (9, [0, 0, 0, 0.0000757576]),
            (16, [0.1225, 0.0419430400, 0.0242394847, 0.0000757576]),
            (18, [0.0000757576, 0.0335544320, 0.0235123002, 0.0000757576]),
            (256, [0.0000757576, 0, 0.000626803635, 0.0000757576]), (257, [0, 0, 0, 0]),
            (512, [0.0000757576, 0, 0.0000127, 0]), (514, [0, 0, 0.0000123, 0]), (1024, [0, 0, 0, 0]),
            (1026, [0, 0, 0, 0]),
        ] as [(Int, [Double])]
    )
    func steps(step: Int, chances: [Double]) {
        let found = [
            PortModels.connectStep(step), PortModels.oneCounterStep(step, 0), PortModels.oneCounterStep(step, 2),
            PortModels.localStep(step),
        ]
        #expect(zip(found, chances).allSatisfy { abs($0 - $1) <= 1e-7 }, "\(found)")
        #expect((PortModels.oneCounterStep(step, 2) > 0) == (step >= 2 && step <= 1024 && step & 1 == 0))
    }
}
