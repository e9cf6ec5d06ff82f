import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("Ports as JSON, whole")
struct PortsJSONTests {
    @Test(
        "The object of each model's ports is this",
        arguments: [
            (
                .linuxConnect, 1000,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"linux-connect","confidence":0.999999\
                ,"samples":1000,"candidates":[],"reasons":["100% of ports are even, by chance 1 in 10^301","99.6% of\
                 steps within a destination lead 1 to 64 forward, 50% in the order of all","small steps: 2 (13%), 4 \
                (12%), 6 (13%), 8 (13%), 10 (9%), 12 (14%), 14 (13%), 16 (12%)","4 of 4 jumps keep to a period of \
                10 s, at 0.00 s of it","spread 0.67 of a uniform choice's"],"caveats":["range-assumed"],"statistics"\
                :{"destinations":2,"distinct_ports":1000,"seconds":19.980000,"lowest":34898,"highest":56736,"correct\
                ed_low":34877,"corrected_high":56757,"range_low":32768,"range_high":60999,"range_source":"assumed","\
                range_name":"Linux since 4.2","even_share":1.000000,"even_log10_p":-300.728966,"small_bound":64,"ste\
                ps":998,"small_share":0.995992,"merged_small_share":0.496496,"chained_share":0.995992,"jumps":4,"ste\
                p_counts":{"2":134,"4":119,"6":134,"8":132,"10":92,"12":136,"14":128,"16":119},"rekeying":{"period":\
                10.000000,"phase":0.000000,"jumps":4,"explained":4,"contradicting":0,"log10_p":-7.040362},"deviation\
                ":5471.914283,"relative_deviation":0.671411,"chi_square_16":994.048000,"chi_square_p":0.000000,"seri\
                al_correlation":0.045359,"entropy":{"bins":128,"bits":5.475940,"most_bits":7.000000,"bias_bits":0.03\
                2461},"reuse":{"count":0,"expected":17.486038,"fewest_between":null,"median_between":null,"shortest_\
                seconds":null}}}

                """
            ),
            (
                .linuxConnectOneCounter, 30,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"linux-connect","confidence":0.999999\
                ,"samples":30,"candidates":[],"reasons":["100% of ports are even, by chance 1 in 10^9","100% of step\
                s within a destination lead 1 to 64 forward, 48% in the order of all","small steps: 2 (7%), 6 (4%), \
                8 (18%), 14 (11%), 16 (14%), 18 (7%), 20 (11%), 22 (7%), 24 (7%), and others","spread 1.35 of a unif\
                orm choice's"],"caveats":["range-assumed"],"statistics":{"destinations":2,"distinct_ports":30,"secon\
                ds":0.580000,"lowest":35882,"highest":58174,"corrected_low":35114,"corrected_high":58942,"range_low"\
                :32768,"range_high":60999,"range_source":"assumed","range_name":"Linux since 4.2","even_share":1.000\
                000,"even_log10_p":-8.729870,"small_bound":64,"steps":28,"small_share":1.000000,"merged_small_share"\
                :0.482759,"chained_share":1.000000,"jumps":0,"step_counts":{"2":2,"6":1,"8":5,"10":1,"14":3,"16":4,"\
                18":2,"20":3,"22":2,"24":2,"36":1,"54":1,"60":1},"rekeying":null,"deviation":10982.610537,"relative_\
                deviation":1.347580,"chi_square_16":219.600000,"chi_square_p":0.000000,"serial_correlation":-0.07820\
                4,"entropy":{"bins":4,"bits":0.994996,"most_bits":2.000000,"bias_bits":0.024045},"reuse":{"count":0,\
                "expected":0.015403,"fewest_between":null,"median_between":null,"shortest_seconds":null}}}

                """
            ),
            (
                .linuxBind, 40,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"odd-bind","confidence":0.999999,"sam\
                ples":40,"candidates":[],"reasons":["100% of ports are odd, by chance 1 in 10^12","0% of steps withi\
                n a destination lead 1 to 64 forward, 0% in the order of all","spread 1.03 of a uniform choice's"],"\
                caveats":["range-assumed","bound-by-caller"],"statistics":{"destinations":2,"distinct_ports":39,"sec\
                onds":0.780000,"lowest":32785,"highest":60763,"corrected_low":32068,"corrected_high":61480,"range_lo\
                w":32768,"range_high":60999,"range_source":"assumed","range_name":"Linux since 4.2","even_share":0.0\
                00000,"even_log10_p":-11.740170,"small_bound":64,"steps":38,"small_share":0.000000,"merged_small_sha\
                re":0.000000,"chained_share":0.000000,"jumps":38,"step_counts":{},"rekeying":null,"deviation":8427.8\
                97301,"relative_deviation":1.034114,"chi_square_16":9.600000,"chi_square_p":0.844691,"serial_correla\
                tion":0.022683,"entropy":{"bins":8,"bits":3.000000,"most_bits":3.000000,"bias_bits":0.126236},"reuse\
                ":{"count":1,"expected":0.027616,"fewest_between":18,"median_between":18,"shortest_seconds":0.360000\
                }}}

                """
            ),
            (
                .windows, 24,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"sequential-per-destination","confide\
                nce":0.999999,"samples":24,"candidates":[],"reasons":["both parities, 50% even","100% of steps withi\
                n a destination lead 1 to 64 forward, 43% in the order of all","small steps: 1 (100%)","spread 0.82 \
                of a uniform choice's"],"caveats":["range-assumed"],"statistics":{"destinations":2,"distinct_ports":\
                24,"seconds":0.460000,"lowest":50632,"highest":58316,"corrected_low":50298,"corrected_high":58650,"r\
                ange_low":49152,"range_high":65535,"range_source":"assumed","range_name":"IANA's: macOS, Windows sin\
                ce Vista","even_share":0.500000,"even_log10_p":0.000000,"small_bound":64,"steps":22,"small_share":1.\
                000000,"merged_small_share":0.434783,"chained_share":1.000000,"jumps":0,"step_counts":{"1":22},"reke\
                ying":null,"deviation":3864.202465,"relative_deviation":0.817016,"chi_square_16":173.333333,"chi_squ\
                are_p":0.000000,"serial_correlation":-0.158638,"entropy":{"bins":4,"bits":1.009925,"most_bits":2.000\
                000,"bias_bits":0.030056},"reuse":{"count":0,"expected":0.016838,"fewest_between":null,"median_betwe\
                en":null,"shortest_seconds":null}}}

                """
            ),
            (
                .uniform, 3000,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"uniform-random","confidence":0.99999\
                9,"samples":3000,"candidates":[],"reasons":["both parities, 49% even","0.2% of steps within a destin\
                ation lead 1 to 64 forward, 0.2% in the order of all","spread 1.00 of a uniform choice's"],"caveats"\
                :["range-assumed","random-start-possible"],"statistics":{"destinations":2,"distinct_ports":2848,"sec\
                onds":59.980000,"lowest":32772,"highest":60998,"corrected_low":32763,"corrected_high":61007,"range_l\
                ow":32768,"range_high":60999,"range_source":"assumed","range_name":"Linux since 4.2","even_share":0.\
                493333,"even_log10_p":-0.321986,"small_bound":64,"steps":2998,"small_share":0.002001,"merged_small_s\
                hare":0.001667,"chained_share":0.008005,"jumps":2992,"step_counts":{"4":1,"28":1,"43":1,"48":1,"61":\
                1,"63":1},"rekeying":null,"deviation":8137.531648,"relative_deviation":0.998485,"chi_square_16":16.8\
                42667,"chi_square_p":0.328076,"serial_correlation":-0.019955,"entropy":{"bins":256,"bits":7.989715,"\
                most_bits":8.000000,"bias_bits":0.061315},"reuse":{"count":152,"expected":153.846825,"fewest_between\
                ":11,"median_between":908,"shortest_seconds":0.220000}}}

                """
            ),
            (
                .halfBound, 80,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"mixed","confidence":0.999999,"sample\
                s":80,"candidates":[],"reasons":["both parities, 57% even","27% of steps within a destination lead 1\
                 to 64 forward, 13% in the order of all","small steps: 2 (14%), 4 (5%), 6 (5%), 8 (33%), 10 (10%), 1\
                2 (10%), 14 (10%), 16 (14%)","spread 0.63 of a uniform choice's"],"caveats":["nat-suspected","range-\
                assumed"],"statistics":{"destinations":2,"distinct_ports":80,"seconds":1.580000,"lowest":34781,"high\
                est":60635,"corrected_low":34454,"corrected_high":60962,"range_low":32768,"range_high":60999,"range_\
                source":"assumed","range_name":"Linux since 4.2","even_share":0.575000,"even_log10_p":-0.660513,"sma\
                ll_bound":64,"steps":78,"small_share":0.269231,"merged_small_share":0.126582,"chained_share":0.53846\
                2,"jumps":57,"step_counts":{"2":3,"4":1,"6":1,"8":7,"10":2,"12":2,"14":2,"16":3},"rekeying":null,"de\
                viation":5093.966162,"relative_deviation":0.625036,"chi_square_16":222.000000,"chi_square_p":0.00000\
                0,"serial_correlation":-0.181983,"entropy":{"bins":16,"bits":2.857879,"most_bits":4.000000,"bias_bit\
                s":0.126236},"reuse":{"count":0,"expected":0.111827,"fewest_between":null,"median_between":null,"sho\
                rtest_seconds":null}}}

                """
            ),
            (
                .macOS, 2,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"too-few","confidence":0.000000,"samp\
                les":2,"candidates":[],"reasons":["2 samples of 8 at least"],"caveats":[],"statistics":{"destina\
                tions":1,"distinct_ports":2,"seconds":0.020000,"lowest":61479,"highest":61480,"corrected_low":61478,\
                "corrected_high":61481,"range_low":49152,"range_high":65535,"range_source":"assumed","range_name":"I\
                ANA's: macOS, Windows since Vista","even_share":0.500000,"even_log10_p":0.000000,"small_bound":64,"s\
                teps":1,"small_share":1.000000,"merged_small_share":1.000000,"chained_share":1.000000,"jumps":0,"ste\
                p_counts":{"1":1},"rekeying":null,"deviation":0.707107,"relative_deviation":0.000150,"chi_square_16"\
                :30.000000,"chi_square_p":0.011998,"serial_correlation":-0.500000,"entropy":{"bins":1,"bits":0.00000\
                0,"most_bits":0.000000,"bias_bits":0.000000},"reuse":{"count":0,"expected":0.000061,"fewest_between"\
                :null,"median_between":null,"shortest_seconds":null}}}

                """
            ),
            (
                .macOS, 0,
                """
                {"client":"10.0.0.2","transport":"tcp","side":"direct","class":"too-few","confidence":0.000000,"samp\
                les":0,"candidates":[],"reasons":["0 samples of 8 at least"],"caveats":[],"statistics":{"destina\
                tions":0,"distinct_ports":0,"seconds":null,"lowest":0,"highest":0,"corrected_low":0,"corrected_high"\
                :0,"range_low":32768,"range_high":60999,"range_source":"assumed","range_name":"Linux since 4.2","eve\
                n_share":0.000000,"even_log10_p":0.000000,"small_bound":64,"steps":0,"small_share":0.000000,"merged_\
                small_share":0.000000,"chained_share":0.000000,"jumps":0,"step_counts":{},"rekeying":null,"deviation\
                ":0.000000,"relative_deviation":0.000000,"chi_square_16":0.000000,"chi_square_p":1.000000,"serial_co\
                rrelation":0.000000,"entropy":{"bins":1,"bits":0.000000,"most_bits":0.000000,"bias_bits":0.000000},"\
                reuse":{"count":0,"expected":0.000000,"fewest_between":null,"median_between":null,"shortest_seconds"\
                :null}}}

                """
            ),
        ] as [(SyntheticPorts.Model, Int, String)]
    )
    func models(_ model: SyntheticPorts.Model, _ count: Int, _ expected: String) {
        var output = ByteBuffer()
        PortsJSON().append(PortAnalysis.report(SyntheticPorts.series(model, count: count, seed: 5)), to: &output)
        #expect(output.string == expected)
    }
}
