"""Text as everything here compares it: folded, split into words; and the words that say nothing. Pure."""

import re
import unicodedata
from collections.abc import Collection, Mapping

from appliance.model import Language

_WORD = re.compile(r"[^\W_]+")

_SAYING_NOTHING: dict[Language, str] = {
    "pt-BR": """
        a achei acho agora ai ainda algo alguem algum alguma algumas alguns antes ao aos apenas aquelas aquele aqueles
        aqui aquilo as assim ate bem cada cade cmo coisa coisas com como consegue conseguem conseguimos consigo cujo da
        dai dali dao daquela daquele daqui dar daria das de dela dele deles depois dessa dessas desse desses desta
        destas deste destes dia disso disto do dos dr dra e eh ela ele eles em entao era essa essas esse esses esta
        estamos estao estar estas estava estes estive estou eu faco favor foi foram fosse fui gente gostaria gosto ha ia
        iam ir iria isso isto ja la lhe mais manda mandar mano mas me mesmo meu meus mim minha minhas moca moco muito na
        nao nas ne nem nenhum nenhuma nesse nesta nestas neste nestes ninguem nisso nisto no nos nossa nosso num numa o
        onde oq os ou outra outras outro outros para passa pela pelas pelo pelos per pode podem podemos poderia poderiam
        poderiamos pois por porque possa posso pq pra pras precisa preciso pro propria proprio pros q qd qdo qto quais
        qual quando quanta quantas quanto quantos que queira quem quer queremos queria quero sabe sabem saber sao se
        seja sejam sem ser sera serao seria seu seus sim so sobre somos sou sr sra sua suas ta tais tal talvez tambem
        tao tava tb tbm te tem tenha tenham tenho ter teria teriam teve tinha tipo tive tivesse to toda todas todo todos
        tudo um uma umas uns vai vamos vao vc vcs vem ver vim vir voce voces voltar vou kk kkk kkkk rs
        """,
    "en": """
        a about abouts neither none again all already also always am an and another any anybody anyone anything anywhere
        are around as at be because been before being believe between both bring bringing brought but by came can cant
        come comes coming could couldn currently d did didn didnt do does doesn doesnt doing don done dont each either
        else ever every everything exactly feel for from get give go goes going gonna got gotta guess guys had hadn has
        hasn have haven having he her hi his how hows i if im in instead into is isn isnt it its ive just keep kind know
        left let lets like little ll look looking lot lots m made many may maybe me might mine more most much must my
        need never no not now of off often oh ok on once one only onto or other others our ours out over own per perhaps
        please put quite rather re really right s said say see seem seems seen shall she should since so some somebody
        somehow someone something somewhere soon sort still such sure t tell than thank that thats the their theirs them
        then there theres these they thing things think thinking this those though thought through till to together too
        try trying up ur us using ve very wanna want wanted wants was wasn way we well went were weren what whatever
        whats when whens where wheres whether which while who whole whos whose why will wish with within without
        wondering wont would wouldn ya yeah yep yes yet you your yours yourself here nothing possible poss id
        better round after
        """,
    "es": """
        a actualmente ahi ahora al algo alguien algun alguna algunas alguno algunos alla alli ambos ante antes aquel
        aquella aquellas aquello aquellos aqui asi aun aunque bien cada como con cosa cosas creo cual cuales cuando
        cuanta cuantas cuanto cuantos cuya cuyo da dais dan dar de debe deben debo decir del desde despues dia dice
        dicen digo dime donde durante e el ella ellas ellos en entonces entre era eres es esa esas ese eso esos esta
        estabais estais estamos estan estar estas este esto estos estoy falta fue fueron fui gente gustaria ha habeis
        haber habia hace haceis hacemos hacen hacer hagan hago han haremos has hasta hay haya he hemos hizo iba ir ira
        la las le les lo los luego mas me mi mia mio mis misma mismo mucha muchas mucho muchos muy nada nadie necesito
        ni ningun ninguna ninguno no nos nosotros nuestra nuestras nuestro nuestros o os otra otras otro otros pa para
        pasa pasais pasas pero podeis podemos poder podra podria podriais podrian poneis pones por porque propia propio
        puede pueden puedo pues que queda quedan quereis queremos queria quien quiere quieren quiero quisiera
        quisieramos sabe sabeis saben saber sabes se sea sean ser sera seria si sin sobre sois solo somos son soy su
        suelen sus tal tambien tan tanto te tendra tendriais tendrian teneis tenemos tener tengo ti tiene tienen toda
        todas todo todos tu tus tuve u un una unas unos usted ustedes va vais vamos van veo ver vez vosotros voy vuestra
        vuestras vuestro vuestros y ya yo disculpa disculpe disculpen todavia oigan oiga
        """,
}
_STOP_WORDS: Mapping[Language, frozenset[str]] = {
    language: frozenset(table.split()) for language, table in _SAYING_NOTHING.items()
}


def fold(text: str) -> str:
    """No case, no accents, compatibility characters resolved: "Pão" and "PAO" become "pao"."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def words(text: str) -> tuple[str, ...]:
    """Folded runs of letters and digits, in order. Nothing that a search syntax could read survives."""
    return tuple(_WORD.findall(fold(text)))


def as_written(text: str, folded: Collection[str]) -> tuple[str, ...]:
    """These words as the text has them, those that stand side by side together; then those that it writes otherwise."""
    written = unicodedata.normalize("NFC", text)
    wanted, told, runs, end = set(folded), set[str](), list[str](), 0
    for token in _WORD.finditer(written):
        if held := wanted & set(words(token[0])):
            if runs and written[end : token.start()].isspace():
                runs[-1] = f"{runs[-1]} {token[0]}"
            else:
                runs.append(token[0])
            end = token.end()
            told |= held
    return tuple(dict.fromkeys((*runs, *(word for word in folded if word not in told))))


def bare(text: str) -> str:
    """The whole message without outer punctuation and space, folded: what a keyword is compared with."""
    folded = fold(text)
    spans = [match.span() for match in _WORD.finditer(folded)]
    return folded[spans[0][0] : spans[-1][1]] if spans else ""


def is_stop_word(word: str, language: Language) -> bool:
    """Whether a word says nothing about what is asked."""
    return word in _STOP_WORDS[language]
