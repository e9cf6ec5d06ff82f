// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is built with.
var settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    // The checks of exclusive access stay on where tests run.
    .define("WEIR_CHECKS", .when(configuration: .debug)),
]

/// What the C of the relay is built with: tests can make the kernel's answers wrong.
var cSettings: [CSetting] = [.define("WEIR_STAND_IN", .when(configuration: .debug))]

/// What tests are built with.
///
/// The modules that they test are optimised; they themselves are not, in any configuration: that would take most of the build's
/// time, and what a test holds stays open to the end of its scope. Loops over many bytes belong into Support.
var testSettings = settings

// Scripts/test.sh: one optimised build, whose modules the tests may look into.
if Context.environment["WEIR_TESTING"] != nil {
    settings.append(.unsafeFlags(["-enable-testing"], .when(configuration: .release)))
    settings.append(.define("WEIR_CHECKS", .when(configuration: .release)))
    cSettings.append(.define("WEIR_STAND_IN", .when(configuration: .release)))
    testSettings.append(.unsafeFlags(["-Onone"], .when(configuration: .release)))
}

/// How the program is linked: with Swift's libraries in it.
///
/// So it starts in half the time, takes less memory, and runs where Swift is not installed. The argument parser needs the
/// libraries of Foundation that are named here.
let programLinkerSettings: [LinkerSetting] = [
    .unsafeFlags(
        ["-static-stdlib", "-lFoundationEssentials", "-l_FoundationCShims", "-l_FoundationCollections"],
        .when(platforms: [.linux], configuration: .release)
    )
]

let package = Package(
    name: "weir",
    products: [
        .executable(name: "weir", targets: ["Program"]),
        .library(name: "WeirWire", targets: ["WeirWire"]),
        .library(name: "WeirDissect", targets: ["WeirDissect"]),
        .library(name: "WeirEngine", targets: ["WeirEngine"]),
        .library(name: "WeirSinks", targets: ["WeirSinks"]),
        .library(name: "WeirAnalysis", targets: ["WeirAnalysis"]),
        .library(name: "WeirCapture", targets: ["WeirCapture"]),
        .library(name: "WeirRelay", targets: ["WeirRelay"]),
    ],
    traits: [
        .trait(name: "Admin", description: "Serve the control API (weir relay --admin); brings SwiftNIO."),
        .trait(name: "Gzip", description: "Read captures that gzip compressed; needs zlib (zlib1g-dev)."),
        .trait(name: "LiveCapture", description: "Capture packets from interfaces; needs libpcap 1.10 (libpcap-dev)."),
        .trait(name: "Scenarios", description: "Read scenarios of toxics in YAML; needs libyaml 0.2 (libyaml-dev)."),
        .trait(name: "TLS", description: "Make certificates for intercepted TLS; needs OpenSSL 3 (libssl-dev)."),
        .default(enabledTraits: ["Admin", "Gzip", "LiveCapture", "Scenarios", "TLS"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .target(name: "WeirWire", swiftSettings: settings),
        .target(name: "WeirDissect", dependencies: ["WeirWire"], swiftSettings: settings),
        .target(name: "WeirEngine", dependencies: ["WeirWire"], swiftSettings: settings),
        .target(name: "WeirSinks", dependencies: ["WeirEngine", "WeirDissect", "WeirWire"], swiftSettings: settings),
        .target(
            name: "WeirAnalysis",
            dependencies: ["WeirEngine", "WeirDissect", "WeirWire"],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CPcap",
            pkgConfig: "libpcap",
            providers: [.apt(["libpcap-dev"]), .brew(["libpcap"])]
        ),
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "WeirCapture",
            dependencies: [
                "WeirSinks", "WeirEngine", "WeirWire",
                .target(name: "CPcap", condition: .when(traits: ["LiveCapture"])),
                .target(name: "CZlib", condition: .when(traits: ["Gzip"])),
            ],
            swiftSettings: settings
        ),
        .target(name: "CTLS", dependencies: ["COpenSSL"]),
        .target(
            name: "WeirTLS",
            dependencies: ["CTLS", "COpenSSL", "WeirDissect", "WeirWire"],
            swiftSettings: settings
        ),
        .target(name: "CWeir", cSettings: cSettings),
        .target(
            name: "WeirRelay",
            dependencies: [
                "WeirSinks", "WeirAnalysis", "WeirEngine", "WeirDissect", "WeirWire", "CWeir",
                .target(name: "WeirTLS", condition: .when(traits: ["TLS"])),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "WeirAdmin",
            dependencies: [
                "WeirRelay", "WeirSinks", "WeirAnalysis", "WeirEngine", "WeirWire",
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["Admin"])),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["Admin"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["Admin"])),
            ],
            swiftSettings: settings
        ),
        // A library, as tests look into it; the program that calls it is a target of its own, which is linked in another way.
        .target(
            name: "weir",
            dependencies: [
                "WeirRelay", "WeirCapture", "WeirSinks", "WeirAnalysis", "WeirEngine", "WeirDissect", "WeirWire",
                "CWeir",
                .target(name: "WeirAdmin", condition: .when(traits: ["Admin"])),
                .target(name: "CYaml", condition: .when(traits: ["Scenarios"])),
                .target(name: "WeirTLS", condition: .when(traits: ["TLS"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Program",
            dependencies: ["weir"],
            swiftSettings: settings,
            linkerSettings: programLinkerSettings
        ),
        .target(
            name: "Support",
            dependencies: ["WeirRelay", "WeirSinks", "WeirEngine", "WeirWire", "CWeir"],
            path: "Tests/Support",
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeirTLSTests",
            dependencies: ["WeirTLS", "COpenSSL", "WeirDissect", "WeirWire"],
            swiftSettings: testSettings
        ),
        .testTarget(name: "WeirWireTests", dependencies: ["WeirWire", "Support"], swiftSettings: testSettings),
        .testTarget(
            name: "WeirDissectTests",
            dependencies: ["WeirDissect", "WeirWire", "Support"],
            exclude: ["Reassembly/followed.tsv"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "WeirEngineTests",
            dependencies: ["WeirEngine", "WeirSinks", "WeirDissect", "WeirWire", "Support"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "WeirSinksTests",
            dependencies: ["WeirSinks", "WeirEngine", "WeirDissect", "WeirWire", "Support"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "WeirAnalysisTests",
            dependencies: ["WeirAnalysis", "WeirSinks", "WeirEngine", "WeirDissect", "WeirWire", "Support"],
            exclude: ["Query/queries.tsv"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "WeirCaptureTests",
            dependencies: [
                "WeirCapture", "WeirRelay", "WeirSinks", "WeirAnalysis", "WeirEngine", "WeirDissect", "WeirWire",
                "Support",
                .target(name: "CZlib", condition: .when(traits: ["Gzip"])),
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "WeirRelayTests",
            dependencies: [
                "WeirRelay", "WeirAnalysis", "WeirSinks", "WeirEngine", "WeirDissect", "WeirWire", "CWeir", "Support",
                .target(name: "WeirTLS", condition: .when(traits: ["TLS"])),
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "WeirAdminTests",
            dependencies: [
                "WeirAdmin", "WeirRelay", "WeirAnalysis", "WeirSinks", "WeirEngine", "WeirWire", "Support",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            exclude: ["Clients/drive_toxiproxy.py", "Clients/schemathesis.toml"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "weirTests",
            dependencies: [
                "weir", "WeirRelay", "WeirCapture", "WeirAnalysis", "WeirSinks", "WeirEngine", "WeirDissect",
                "WeirWire", "Support",
            ],
            exclude: ["Run/Programs", "TLS/Programs"],
            swiftSettings: testSettings
        ),
    ]
)

// The scripts build the benchmark, a package of its own, in the same build as the tests: it would compile the modules once more. All of
// them set the variable, so that all have the same dependencies.
if Context.environment["WEIR_BENCHMARKS"] != nil {
    package.dependencies += [
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ]
    package.targets += [
        .target(
            name: "CWeirBench",
            path: "Benchmarks/Sources/CWeirBench",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        .executableTarget(
            name: "weir-bench",
            dependencies: [
                "CWeirBench", "WeirCapture", "WeirWire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Benchmarks/Sources/weir-bench",
            swiftSettings: settings
        ),
        .testTarget(
            name: "weir-benchTests",
            dependencies: [
                "weir-bench", "WeirWire", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Tests/weir-benchTests",
            swiftSettings: testSettings
        ),
    ]
}

// Scripts/sanitize.sh thread --relay: only these test targets, with no other package to build. The dependencies stay: without
// them Package.resolved would change, and the next build of the whole begin anew.
if let only = Context.environment["WEIR_ONLY"] {
    let chosen = only.split(separator: ",").map(String.init)
    let libraries = [
        "WeirWire", "WeirDissect", "WeirEngine", "WeirSinks", "WeirAnalysis", "CTLS", "COpenSSL", "WeirTLS", "CWeir",
        "WeirRelay",
    ]
    let wanted = Set(libraries + ["Support"] + chosen)
    package.targets.removeAll { !wanted.contains($0.name) }
    package.products.removeAll { $0.name != "WeirRelay" }
}
