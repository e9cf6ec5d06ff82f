// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is built with.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "weir",
    products: [
        .executable(name: "weir", targets: ["weir"]),
        .library(name: "WeirRelay", targets: ["WeirRelay"]),
    ],
    traits: [
        .trait(name: "LiveCapture", description: "Capture packets from interfaces; needs libpcap 1.10 (libpcap-dev)."),
        .trait(name: "Gzip", description: "Read captures that gzip compressed; needs zlib (zlib1g-dev)."),
        .default(enabledTraits: ["LiveCapture", "Gzip"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    ],
    targets: [
        .target(name: "WeirWire", swiftSettings: settings),
        .target(name: "WeirFlow", dependencies: ["WeirWire"], swiftSettings: settings),
        .systemLibrary(
            name: "CPcap",
            pkgConfig: "libpcap",
            providers: [.apt(["libpcap-dev"]), .brew(["libpcap"])]
        ),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "WeirCapture",
            dependencies: [
                "WeirFlow", "WeirWire",
                .target(name: "CPcap", condition: .when(traits: ["LiveCapture"])),
                .target(name: "CZlib", condition: .when(traits: ["Gzip"])),
            ],
            swiftSettings: settings
        ),
        .target(name: "CWeir"),
        .target(name: "WeirRelay", dependencies: ["WeirFlow", "WeirWire", "CWeir"], swiftSettings: settings),
        .target(
            name: "WeirAdmin",
            dependencies: [
                "WeirRelay", "WeirFlow", "WeirWire",
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "weir",
            dependencies: [
                "WeirAdmin", "WeirRelay", "WeirCapture", "WeirFlow", "WeirWire", "CWeir",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),
        .target(name: "CWeirBench"),
        .executableTarget(
            name: "weir-bench",
            dependencies: [
                "WeirCapture", "WeirWire", "CWeirBench",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Support",
            dependencies: ["WeirRelay", "WeirFlow", "WeirWire", "CWeir"],
            path: "Tests/Support",
            swiftSettings: settings
        ),
        .testTarget(name: "WeirWireTests", dependencies: ["WeirWire", "Support"], swiftSettings: settings),
        .testTarget(name: "WeirFlowTests", dependencies: ["WeirFlow", "WeirWire", "Support"], swiftSettings: settings),
        .testTarget(
            name: "WeirCaptureTests",
            dependencies: [
                "WeirCapture", "WeirFlow", "WeirWire", "Support",
                .target(name: "CZlib", condition: .when(traits: ["Gzip"])),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeirRelayTests",
            dependencies: ["WeirRelay", "WeirFlow", "WeirWire", "CWeir", "Support"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "WeirAdminTests",
            dependencies: [
                "WeirAdmin", "WeirRelay", "WeirFlow", "WeirWire", "Support",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            exclude: ["Clients/drive_toxiproxy.py", "Clients/schemathesis.toml"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "weirTests",
            dependencies: ["weir", "WeirCapture", "WeirFlow", "WeirWire", "Support"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "weir-benchTests",
            dependencies: [
                "weir-bench", "Support", "WeirWire", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
    ]
)
