//! Units of measurement.
//!
//! Each table gives how much of the base unit one of a unit is. Definitions
//! are exact where the unit has one. Source: the International System of
//! Units, and the definitions of the customary units in it.

use crate::args::real;
use crate::{Value, text};

rows! { ROWS: Function in units {
    convert_angle "convert_angle", [(Real, Text, Text) -> Real], "A number of one unit of angle in another.",
        "convert_angle(1.2, 'Degree', 'Arcminute')" => "72";
    convert_energy "convert_energy", [(Real, Text, Text) -> Real], "A number of one unit of energy in another.",
        "convert_energy(1, 'KilowattHour', 'Joule')" => "3600000";
    convert_force "convert_force", [(Real, Text, Text) -> Real], "A number of one unit of force in another.",
        "convert_force(1, 'Kilonewton', 'Newton')" => "1000";
    convert_length "convert_length", [(Real, Text, Text) -> Real], "A number of one unit of length in another.",
        "convert_length(1, 'Kilometer', 'Meter')" => "1000";
    convert_mass "convert_mass", [(Real, Text, Text) -> Real], "A number of one unit of mass in another.",
        "convert_mass(1, 'Kilogram', 'Gram')" => "1000";
    convert_speed "convert_speed", [(Real, Text, Text) -> Real], "A number of one unit of speed in another.",
        "convert_speed(36, 'KilometerPerHour', 'MeterPerSecond')" => "10";
    convert_temperature "convert_temperature", [(Real, Text, Text) -> Real], "A temperature on one scale on another.",
        "convert_temperature(0, 'DegreeCelsius', 'Kelvin')" => "273.15";
    convert_volume "convert_volume", [(Real, Text, Text) -> Real], "A number of one unit of volume in another.",
        "convert_volume(1.2, 'CubicMeter', 'AcreFoot')" => "0.0009728568";
}}

/// A unit: its name, and how much of the base it is, as a multiplier and a
/// divisor so that definitions on either side stay exact.
type Unit = (&'static str, f64, f64);

const PI: f64 = std::f64::consts::PI;

const ANGLE: &[Unit] = &[
    ("Degree", 1.0, 1.0),
    ("Arcminute", 1.0, 60.0),
    ("Arcsecond", 1.0, 3600.0),
    ("Radian", 180.0, PI),
    ("Centiradian", 1.8, PI),
    ("Deciradian", 18.0, PI),
    ("Milliradian", 0.18, PI),
    ("Microradian", 180e-6, PI),
    ("Nanoradian", 180e-9, PI),
    ("Millidegree", 1.0, 1e3),
    ("Microdegree", 1.0, 1e6),
    ("Nanodegree", 1.0, 1e9),
    ("Gradian", 0.9, 1.0),
    ("NatoMil", 360.0, 6400.0),
    ("Revolution", 360.0, 1.0),
    ("Tilt", 90.0, 1.0),
];

const ENERGY: &[Unit] = &[
    ("Joule", 1.0, 1.0),
    ("Millijoule", 1.0, 1e3),
    ("Kilojoule", 1e3, 1.0),
    ("Megajoule", 1e6, 1.0),
    ("Gigajoule", 1e9, 1.0),
    ("BritishThermalUnit", 1_055.055_852_62, 1.0),
    ("KilobritishThermalUnit", 1_055_055.852_62, 1.0),
    ("MegabritishThermalUnit", 1_055_055_852.62, 1.0),
    ("GigabritishThermalUnit", 1_055_055_852_620.0, 1.0),
    ("Calorie", 4.184, 1.0),
    ("Kilocalorie", 4184.0, 1.0),
    ("Megacalorie", 4_184_000.0, 1.0),
    ("DecathermEc", 1.055_055_852_62e9, 1.0),
    ("DecathermImperial", 1.055_055_852_57e9, 1.0),
    ("DecathermUs", 1.054_804e9, 1.0),
    ("ThermEc", 1.055_055_852_62e8, 1.0),
    ("ThermImperial", 1.055_055_852_57e8, 1.0),
    ("ThermUs", 1.054_804e8, 1.0),
    ("ElectronVolt", 1.602_176_565e-19, 1.0),
    ("KiloelectronVolt", 1.602_176_565e-16, 1.0),
    ("MegaelectronVolt", 1.602_176_565e-13, 1.0),
    ("GigaelectronVolt", 1.602_176_565e-10, 1.0),
    ("TeraelectronVolt", 1.602_176_565e-7, 1.0),
    ("Erg", 1.0, 1e7),
    ("FootPound", 1.355_817_948_331_400_4, 1.0),
    ("HorsepowerHour", 2_684_519.537_696_173, 1.0),
    ("WattHour", 3600.0, 1.0),
    ("KilowattHour", 3.6e6, 1.0),
    ("MegawattHour", 3.6e9, 1.0),
    ("GigawattHour", 3.6e12, 1.0),
    ("TerawattHour", 3.6e15, 1.0),
    ("WattDay", 86_400.0, 1.0),
    ("KilowattDay", 8.64e7, 1.0),
    ("MegawattDay", 8.64e10, 1.0),
    ("GigawattDay", 8.64e13, 1.0),
    ("TerawattDay", 8.64e16, 1.0),
];

const POUND_FORCE: f64 = 4.448_221_615_260_5;

const FORCE: &[Unit] = &[
    ("Newton", 1.0, 1.0),
    ("Micronewton", 1.0, 1e6),
    ("Millinewton", 1.0, 1e3),
    ("Decanewton", 10.0, 1.0),
    ("Kilonewton", 1e3, 1.0),
    ("Meganewton", 1e6, 1.0),
    ("Dyn", 1.0, 1e5),
    ("KilogramForce", 9.806_65, 1.0),
    ("KiloPond", 9.806_65, 1.0),
    ("TonneForce", 9_806.65, 1.0),
    ("PoundForce", POUND_FORCE, 1.0),
    ("KilopoundForce", POUND_FORCE * 1e3, 1.0),
    ("ShortTonForce", POUND_FORCE * 2e3, 1.0),
    ("OunceForce", POUND_FORCE, 16.0),
    ("Poundal", 0.138_254_954_376, 1.0),
];

const INCH: f64 = 0.0254;
const LIGHT_YEAR: f64 = 9_460_730_472_580_800.0;
const PARSEC: f64 = 3.085_677_581_491_367e16;

const LENGTH: &[Unit] = &[
    ("Meter", 1.0, 1.0),
    ("Angstrom", 1.0, 1e10),
    ("Nanometer", 1.0, 1e9),
    ("Micrometer", 1.0, 1e6),
    ("Millimeter", 1.0, 1e3),
    ("Centimeter", 1.0, 100.0),
    ("Decimeter", 1.0, 10.0),
    ("Decameter", 10.0, 1.0),
    ("Hectometer", 100.0, 1.0),
    ("Kilometer", 1e3, 1.0),
    ("AstronomicalUnit", 149_597_870_700.0, 1.0),
    ("Chain", 20.1168, 1.0),
    ("DataMile", 1828.8, 1.0),
    ("DtpPica", INCH, 6.0),
    ("DtpPoint", INCH, 72.0),
    ("Fathom", 1.8288, 1.0),
    ("Foot", 0.3048, 1.0),
    ("Hand", 0.1016, 1.0),
    ("Inch", INCH, 1.0),
    ("KilolightYear", LIGHT_YEAR * 1e3, 1.0),
    ("Kiloparsec", PARSEC * 1e3, 1.0),
    ("LightYear", LIGHT_YEAR, 1.0),
    ("MegalightYear", LIGHT_YEAR * 1e6, 1.0),
    ("Megaparsec", PARSEC * 1e6, 1.0),
    ("Microinch", INCH, 1e6),
    ("Mil", INCH, 1e3),
    ("Mile", 1609.344, 1.0),
    ("NauticalMile", 1852.0, 1.0),
    ("Parsec", PARSEC, 1.0),
    ("PrinterPica", INCH * 400.0, 2409.0),
    ("PrinterPoint", INCH, 72.27),
    ("Shackle", 27.432, 1.0),
    ("SolarRadius", 6.955_1e8, 1.0),
    ("Twip", INCH, 1440.0),
    ("UsSurveyFoot", 1200.0, 3937.0),
    ("Yard", 0.9144, 1.0),
];

const POUND: f64 = 453.592_37;

const MASS: &[Unit] = &[
    ("Gram", 1.0, 1.0),
    ("Nanogram", 1.0, 1e9),
    ("Microgram", 1.0, 1e6),
    ("Milligram", 1.0, 1e3),
    ("Centigram", 1.0, 100.0),
    ("Decigram", 1.0, 10.0),
    ("Decagram", 10.0, 1.0),
    ("Hectogram", 100.0, 1.0),
    ("Kilogram", 1e3, 1.0),
    ("Tonne", 1e6, 1.0),
    ("Kilotonne", 1e9, 1.0),
    ("Megatonne", 1e12, 1.0),
    ("EarthMass", 5.972_2e27, 1.0),
    ("SolarMass", 1.988_47e33, 1.0),
    ("Grain", POUND, 7000.0),
    ("Ounce", POUND, 16.0),
    ("Pound", POUND, 1.0),
    ("Kilopound", POUND * 1e3, 1.0),
    ("Megapound", POUND * 1e6, 1.0),
    ("Stone", POUND * 14.0, 1.0),
    ("ShortHundredweight", POUND * 100.0, 1.0),
    ("LongHundredweight", POUND * 112.0, 1.0),
    ("ShortTon", POUND * 2000.0, 1.0),
    ("LongTon", POUND * 2240.0, 1.0),
    ("Slug", 14_593.902_937_206_365, 1.0),
];

const SPEED: &[Unit] = &[
    ("MeterPerSecond", 1.0, 1.0),
    ("MeterPerMinute", 1.0, 60.0),
    ("MeterPerHour", 1.0, 3600.0),
    ("NanometerPerSecond", 1.0, 1e9),
    ("NanometerPerMinute", 1.0, 60e9),
    ("MicrometerPerSecond", 1.0, 1e6),
    ("MicrometerPerMinute", 1.0, 60e6),
    ("MillimeterPerSecond", 1.0, 1e3),
    ("MillimeterPerMinute", 1.0, 60e3),
    ("MillimeterPerHour", 1.0, 3600e3),
    ("CentimeterPerSecond", 1.0, 100.0),
    ("CentimeterPerMinute", 1.0, 6000.0),
    ("CentimeterPerHour", 1.0, 360_000.0),
    ("DecimeterPerSecond", 1.0, 10.0),
    ("DecimeterPerMinute", 1.0, 600.0),
    ("KilometerPerSecond", 1e3, 1.0),
    ("KilometerPerMinute", 1e3, 60.0),
    ("KilometerPerHour", 1.0, 3.6),
    ("InchPerSecond", INCH, 1.0),
    ("InchPerMinute", INCH, 60.0),
    ("InchPerHour", INCH, 3600.0),
    ("FootPerSecond", 0.3048, 1.0),
    ("FootPerMinute", 0.3048, 60.0),
    ("FootPerHour", 0.3048, 3600.0),
    ("YardPerSecond", 0.9144, 1.0),
    ("YardPerMinute", 0.9144, 60.0),
    ("YardPerHour", 0.9144, 3600.0),
    ("UsSurveyFootPerSecond", 1200.0, 3937.0),
    ("UsSurveyFootPerMinute", 20.0, 3937.0),
    ("UsSurveyFootPerHour", 1.0, 11_811.0),
    ("MilePerHour", 0.447_04, 1.0),
    ("Knot", 1852.0, 3600.0),
];

const US_GALLON: f64 = 0.003_785_411_784;
const IMPERIAL_GALLON: f64 = 0.004_546_09;
const CUBIC_FOOT: f64 = 0.028_316_846_592;

const VOLUME: &[Unit] = &[
    ("CubicMeter", 1.0, 1.0),
    ("CubicMicrometer", 1.0, 1e18),
    ("CubicMillimeter", 1.0, 1e9),
    ("CubicCentimeter", 1.0, 1e6),
    ("CubicDecimeter", 1.0, 1e3),
    ("CubicHectometer", 1e6, 1.0),
    ("CubicKilometer", 1e9, 1.0),
    ("HectocubicMeter", 100.0, 1.0),
    ("KilocubicMeter", 1e3, 1.0),
    ("Microliter", 1.0, 1e9),
    ("Milliliter", 1.0, 1e6),
    ("Centiliter", 1.0, 1e5),
    ("Deciliter", 1.0, 1e4),
    ("Liter", 1.0, 1e3),
    ("Decaliter", 1.0, 100.0),
    ("Hectoliter", 1.0, 10.0),
    ("Kiloliter", 1.0, 1.0),
    ("Megaliter", 1e3, 1.0),
    ("CubicInch", 1.638_706_4e-5, 1.0),
    ("CubicFoot", CUBIC_FOOT, 1.0),
    ("HectocubicFoot", CUBIC_FOOT * 100.0, 1.0),
    ("KilocubicFoot", CUBIC_FOOT * 1e3, 1.0),
    ("MegacubicFoot", CUBIC_FOOT * 1e6, 1.0),
    ("CubicYard", 0.764_554_857_984, 1.0),
    ("CubicMile", 4_168_181_825.440_579_6, 1.0),
    // Kusto's own value, rounded.
    ("AcreFoot", 1.0, 0.000_810_714),
    ("BoardFoot", CUBIC_FOOT, 12.0),
    ("AuTablespoon", 2e-5, 1.0),
    ("UkTablespoon", 1.5e-5, 1.0),
    ("UsTablespoon", 1.478_676_478_125e-5, 1.0),
    ("MetricTeaspoon", 5e-6, 1.0),
    ("UsTeaspoon", 4.928_921_593_75e-6, 1.0),
    ("MetricCup", 2.5e-4, 1.0),
    ("UsCustomaryCup", 2.365_882_365e-4, 1.0),
    ("UsLegalCup", 2.4e-4, 1.0),
    ("ImperialOunce", IMPERIAL_GALLON, 160.0),
    ("ImperialPint", IMPERIAL_GALLON, 8.0),
    ("ImperialGallon", IMPERIAL_GALLON, 1.0),
    ("KiloimperialGallon", IMPERIAL_GALLON * 1e3, 1.0),
    ("MegaimperialGallon", IMPERIAL_GALLON * 1e6, 1.0),
    ("ImperialBeerBarrel", IMPERIAL_GALLON * 36.0, 1.0),
    ("UsOunce", US_GALLON, 128.0),
    ("UsPint", US_GALLON, 8.0),
    ("UsQuart", US_GALLON, 4.0),
    ("UsGallon", US_GALLON, 1.0),
    ("DeciusGallon", US_GALLON, 10.0),
    ("DecausGallon", US_GALLON * 10.0, 1.0),
    ("HectousGallon", US_GALLON * 100.0, 1.0),
    ("KilousGallon", US_GALLON * 1e3, 1.0),
    ("MegausGallon", US_GALLON * 1e6, 1.0),
    ("UsBeerBarrel", US_GALLON * 31.0, 1.0),
    ("OilBarrel", US_GALLON * 42.0, 1.0),
];

fn convert(args: &[Value], units: &[Unit]) -> Value {
    let find = |index: usize| {
        let name = text::of(args, index);
        units.iter().find(|(unit, ..)| *unit == name)
    };
    let (Some(value), Some((_, m1, d1)), Some((_, m2, d2))) = (real(args, 0), find(1), find(2)) else {
        return Value::Null;
    };
    Value::Real(value * m1 / d1 * d2 / m2)
}

/// One kernel for each table of units.
macro_rules! kernels {
    ($($kernel:ident $units:ident;)*) => { $(
        #[doc = concat!("`", stringify!($kernel), "`.")]
        pub fn $kernel(args: &[Value]) -> Value {
            convert(args, $units)
        }
    )* };
}

kernels! {
    convert_angle ANGLE;
    convert_energy ENERGY;
    convert_force FORCE;
    convert_length LENGTH;
    convert_mass MASS;
    convert_speed SPEED;
    convert_volume VOLUME;
}

/// A scale in kelvins: `(degrees - zero) * size`, where absolute zero is.
fn scale(name: &str) -> Option<(f64, f64)> {
    Some(match name {
        "Kelvin" => (0.0, 1.0),
        "DegreeCelsius" => (-273.15, 1.0),
        "MillidegreeCelsius" => (-273_150.0, 0.001),
        "DegreeFahrenheit" => (-459.67, 5.0 / 9.0),
        "DegreeRankine" => (0.0, 5.0 / 9.0),
        "DegreeDelisle" => (559.725, -2.0 / 3.0),
        "DegreeNewton" => (-90.139_5, 100.0 / 33.0),
        "DegreeReaumur" => (-218.52, 1.25),
        "DegreeRoemer" => (-135.903_75, 40.0 / 21.0),
        "SolarTemperature" => (0.0, 5778.0),
        _ => return None,
    })
}

/// `convert_temperature`.
pub fn convert_temperature(args: &[Value]) -> Value {
    let find = |index: usize| scale(&text::of(args, index));
    let (Some(value), Some((zero1, size1)), Some((zero2, size2))) = (real(args, 0), find(1), find(2)) else {
        return Value::Null;
    };
    Value::Real((value - zero1) * size1 / size2 + zero2)
}
